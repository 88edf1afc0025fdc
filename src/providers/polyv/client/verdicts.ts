import {
  byCode,
  byText,
  encrypted,
  gateway,
  serverTrouble,
  throttled,
  withoutData,
  type Complaint,
  type Verdict,
} from './complaints.ts'
import { readEnvelope } from './envelope.ts'

/** An answer of the service, whatever its HTTP status: the status is the body's `code` once more. */
export interface Answer {
  httpStatus: number
  body: Buffer
  /** The service's own waiting time, if it named one. */
  retryAfterMs?: number | null
  /** Scheme and host that a redirect points at. */
  redirectedTo?: string | null
}

/** Decides about an answer: by message text, then by the body's code, then by the HTTP status. */
export function verdictOf(answer: Answer): Verdict {
  const verdict = judge(answer)
  if (verdict.kind !== 'throttled' && verdict.kind !== 'transient' && verdict.kind !== 'trouble')
    return verdict
  return answer.retryAfterMs ? { ...verdict, retryAfterMs: answer.retryAfterMs } : verdict
}

function judge({ httpStatus, body, redirectedTo }: Answer): Verdict {
  if (httpStatus >= 300 && httpStatus < 400) return redirected(httpStatus, redirectedTo ?? null)
  const envelope = readEnvelope(body)
  if (envelope === null) {
    return httpStatus === 429 ? throttled : foreign(httpStatus)
  }
  const { code, isSuccess, text } = envelope
  const byWords = byText.find(([pattern]) => pattern.test(text))?.[1]
  if (isSuccess) {
    if (httpStatus >= 300)
      return { ...serverTrouble, kind: 'transient', reason: `Polyv answers success with HTTP ${httpStatus}.` }
    if (envelope.isEncrypted) return encrypted
    if (envelope.hasData) return { kind: 'ok', code: 'ok' }
  }
  const told = code === null || code === 200 ? httpStatus : code
  // A gateway asks for credentials and bars callers too, and knows nothing of this account.
  if (!byWords && code === null && (httpStatus === 401 || httpStatus === 403)) return foreign(httpStatus)
  const byNumber = byCode.find(([matches]) => matches(told))?.[1]
  const complaint = byWords ?? (isSuccess ? withoutData : byNumber) ?? serverTrouble
  const evidence = `${quoted(text)}code ${code ?? 'none'}, HTTP ${httpStatus}`
  const kind = code === null && complaint.kind === 'trouble' ? 'transient' : complaint.kind
  return { ...complaint, kind, reason: `${complaint.reason} (${evidence})` }
}

function foreign(httpStatus: number): Complaint {
  const reason = `Something before Polyv answers HTTP ${httpStatus} with something that is not Polyv's.`
  return { ...gateway, reason }
}

/** Never followed: the address is signed for the host it was made for, and a form would arrive as a GET. */
function redirected(httpStatus: number, to: string | null): Complaint {
  return {
    kind: 'transient',
    code: 'redirected',
    reason: `Polyv redirects the call (HTTP ${httpStatus})${to === null ? '' : ` to ${to}`}; redirects are not followed.`,
    mend: 'Write the address it points at under baseUrl, most likely the same host with https instead of http.',
  }
}

/** The service's own words for the user, without anything that could be a signature or a key. */
function quoted(text: string): string {
  return text && `“${text.slice(0, 120).replace(/[0-9a-z]{16,}/gi, '…')}”, `
}
