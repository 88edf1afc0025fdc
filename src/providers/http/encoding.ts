import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw, type ZlibOptions } from 'node:zlib'

const ungzip = promisify(gunzip)
const unbrotli = promisify(brotliDecompress)
const inflateWrapped = promisify(inflate)
const inflateBare = promisify(inflateRaw)

/** `code` of the error for an answer beyond the bound, as zlib calls it. */
export const tooLarge = 'ERR_BUFFER_TOO_LARGE'
/** `code` of the error for any other answer that cannot be decoded. */
export const undecodable = 'UNDECODABLE'

/** Whether an error says that an answer is larger than allowed. */
export const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === tooLarge

/**
 * The text of an answer whose content encodings are named as in the header, in the order of their making. chatfeed
 * asks for none, but a gateway may encode all the same, or forget to say so: gzip is known by its first bytes.
 * Throws an error with the code `tooLarge` beyond `maxBytes`, or `undecodable`.
 */
export async function decode(body: Buffer, encodings: string, maxBytes: number): Promise<Buffer> {
  try {
    return await undo(body, encodings.toLowerCase().split(',').reverse(), { maxOutputLength: maxBytes })
  } catch (cause) {
    throw Object.assign(new Error('The answer cannot be decoded.', { cause }), {
      code: isTooLarge(cause) ? tooLarge : undecodable,
    })
  }
}

async function undo(body: Buffer, encodings: readonly string[], limit: ZlibOptions): Promise<Buffer> {
  const unzip = async (bytes: Buffer) => (isGzip(bytes) ? await ungzip(bytes, limit) : bytes)
  // Called deflate are both the zlib format and, wrongly but often, the bare stream inside it.
  const undeflate = (bytes: Buffer) => inflateWrapped(bytes, limit).catch(() => inflateBare(bytes, limit))
  let text = body
  for (const name of encodings) {
    const encoding = name.trim().replace(/^x-/, '')
    if (text.length === 0 || encoding === '' || encoding === 'identity') continue
    if (encoding === 'gzip') text = await unzip(text)
    else if (encoding === 'deflate') text = await undeflate(text)
    else if (encoding === 'br') text = await unbrotli(text, limit)
    else throw new TypeError('unknown content encoding')
  }
  return unzip(text)
}

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b
