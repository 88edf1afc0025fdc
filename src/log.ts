import { pino, destination, type Logger as PinoLogger } from 'pino'

/** Structured log. Holds no secret, token, signed link or message text: callers pass names, counts and codes only. */
export type Logger = PinoLogger

/** Logs to standard error, so that standard output stays for data, or to a file while the terminal shows the summary. */
export function createLog(options: { level?: string; file?: string } = {}): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: { pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    destination({ dest: options.file ?? 2, mkdir: true, sync: true }),
  )
}

/** Discards everything; for tests and one-shot commands. */
export const silentLog: Logger = pino({ level: 'silent' })
