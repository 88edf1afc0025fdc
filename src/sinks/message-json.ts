import type { Message } from '../model.ts'

/** Escapes within JSON: a whole surrogate pair, half of one, or any other. */
const escapes =
  /\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(u[dD][89a-fA-F][\da-fA-F]{2})|[^])/g

/**
 * A message as one line of JSON, for readers without Avro: the fields of `schemas/message.avsc` under their names,
 * times as epoch milliseconds. `data` is embedded as it is, an object and no text, so that its numbers keep their
 * digits. Half a surrogate pair that stands alone becomes U+FFFD: many readers refuse it.
 */
export function messageJson(message: Message): string {
  const { data, ...fields } = message
  return `${wellFormed(JSON.stringify(fields)).slice(0, -1)},"data":${embedded(data)}}`
}

/** `Message.data` so that it can stand within a line of JSON: line breaks are white space between its tokens. */
function embedded(data: string | null): string {
  return data === null ? 'null' : wellFormed(data).replace(/[\r\n]/g, ' ')
}

function wellFormed(json: string): string {
  if (!json.includes('\\u')) return json
  return json.replace(escapes, (escape, half: string | undefined) => (half ? '\\ufffd' : escape))
}
