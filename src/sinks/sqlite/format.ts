import pc from 'picocolors'
import stringWidth from 'string-width'
import type { SearchHit, SearchResult } from './search.ts'
import { marks } from './snippet.ts'

/** How a search result is shown. */
export interface HitFormat {
  /** Cells of a line. */
  columns: number
  color: boolean
}

const timeCells = 16
const senderCells = 14
const mostSourceCells = 16

/**
 * A search result for people: a line a hit (local time, source, sender, snippet), then the count. Chinese characters
 * take two cells. With `color` matches are bold, without it they stand between `«` and `»`.
 */
export function formatHits({ total, hits }: SearchResult, { columns, color }: HitFormat): string {
  const sourceCells = Math.min(mostSourceCells, Math.max(0, ...hits.map((hit) => stringWidth(hit.source))))
  const snippetCells = Math.max(20, columns - timeCells - sourceCells - senderCells - 6)
  const colors = pc.createColors(color)
  const lines = hits.map((hit) =>
    [
      colors.dim(localTime(hit.sentAt)),
      pad(clip(hit.source, sourceCells), sourceCells),
      colors.cyan(pad(clip(printable(hit.sender ?? '–'), senderCells), senderCells)),
      shown(hit, snippetCells, color),
    ].join('  '),
  )
  const few = hits.length < total ? `, ${hits.length} shown` : ''
  return [...lines, colors.dim(`${total} ${total === 1 ? 'message' : 'messages'}${few}`)].join('\n')
}

function shown({ snippet, status }: SearchHit, cells: number, color: boolean): string {
  const label = status === 'visible' ? '' : `[${status}] `
  const clipped = label + clip(snippet, cells - stringWidth(label))
  if (!color) return clipped
  const { bold, yellow } = pc.createColors(true)
  return clipped.replace(
    new RegExp(`${marks.open}([^${marks.close}]*)${marks.close}?`, 'g'),
    (_, match: string) => bold(yellow(match)),
  )
}

/** `2026-11-23 18:05` in the zone of this machine. */
function localTime(atMs: number): string {
  const at = new Date(atMs)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`
}

const graphemes = new Intl.Segmenter()

/** At most `cells` wide; `…` stands for what is cut off. */
function clip(text: string, cells: number): string {
  if (stringWidth(text) <= cells) return text
  let kept = ''
  let width = 1
  for (const { segment } of graphemes.segment(text)) {
    width += stringWidth(segment)
    if (width > cells) break
    kept += segment
  }
  return `${kept}…`
}

const pad = (text: string, cells: number): string => text + ' '.repeat(Math.max(0, cells - stringWidth(text)))

/** Without control characters, which could steer the terminal. */
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, ' ')
