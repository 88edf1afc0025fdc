import { existsSync, readFileSync } from 'node:fs'

const most = 4
const longest = 300

/** What a Java process that failed said about it: the last complaints in its log, else its last lines; newest last. */
export function lastWords(logFile: string): string {
  return existsSync(logFile) ? lastWordsIn(readFileSync(logFile, 'utf8')) : '  (its log is gone)'
}

/** The lines of a broker log that say why it ended. */
export function lastWordsIn(log: string): string {
  const lines = log
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+at |^\s+\.\.\. \d+ more/.test(line))
  const complaints = lines.filter((line) => /\b(ERROR|FATAL)\b|Error:|Exception/.test(line))
  const words = complaints.length > 0 ? complaints : lines
  if (words.length === 0) return '  (its log is empty)'
  return [...new Set(words)]
    .slice(-most)
    .map((line) => `  ${line.slice(0, longest)}`)
    .join('\n')
}
