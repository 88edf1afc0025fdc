import { z } from 'zod'

const unitBytes = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 } as const

/** A size in the configuration (`512KB`, `50MB`, `1GB`, powers of 1024, or a number of bytes); bytes afterwards. */
export const byteSize = z.union([z.string(), z.number()]).transform((size, context) => {
  const [, amount, unit = 'B'] = /^(\d+(?:\.\d+)?)\s*(B|KB|MB|GB)?$/i.exec(String(size)) ?? []
  const bytes = Math.round(Number(amount) * unitBytes[unit.toUpperCase() as keyof typeof unitBytes])
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes
  context.addIssue({ code: 'custom', message: 'write a size such as 512KB, 50MB or 1GB' })
  return z.NEVER
})
