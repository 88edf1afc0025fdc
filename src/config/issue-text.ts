import type { z } from 'zod'

/** How to write a value of a type, where the schema has no words of its own for it. */
const forms: Readonly<Record<string, string>> = {
  string: 'write text, in quotes where it looks like a number: "72h", "12345"',
  number: 'write a number',
  int: 'write a whole number',
  boolean: 'write true or false',
  array: 'write a list, such as [a, b]',
  object: 'write keys and values, such as { name: search }',
  record: 'write keys and values, such as { name: search }',
}

/** The text of an issue for the user: what to write instead, with unknown keys named. Shows no value of the file. */
export function issueText(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    // A key written together with its value, `password:secret`, must not show it.
    const keys = issue.keys.map((key) => key.replace(/[^\w-].*$/s, '…'))
    return `unknown key ${keys.join(', ')}: check the spelling, or leave it out`
  }
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return 'is missing'
  return isOwnWords(issue.message) ? issue.message : plainText(issue)
}

/** Whether the schema says it itself: the validator's own texts begin so. */
const isOwnWords = (message: string): boolean => !/^(Invalid (input|option)|Too (small|big))\b/.test(message)

function plainText(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return forms[issue.expected] ?? `write a value of type ${issue.expected}`
    case 'invalid_value':
      return `choose from ${issue.values.map(String).join(', ')}`
    case 'too_small':
      return issue.origin === 'array'
        ? `name at least ${count(issue.minimum)}`
        : `write at least ${issue.minimum}`
    case 'too_big':
      return issue.origin === 'array'
        ? `name at most ${count(issue.maximum)}`
        : `write at most ${issue.maximum}`
    default:
      return issue.message
  }
}

const count = (number: number | bigint): string => (Number(number) === 1 ? 'one' : String(number))
