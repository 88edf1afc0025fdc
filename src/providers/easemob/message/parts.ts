import { canonicalText, parseLossless } from '../../canonical.ts'
import { isBodyType } from './body.ts'
import { Members } from './members.ts'
import { asObject, type Json, unlessEmpty } from './records.ts'

/** The parts of a record, wherever the route that it came by puts them. */
export interface Parts {
  /** What stands around the payload. */
  outer: Json
  /** What the payload holds beside its bodies and ext. */
  payload: Json
  /** Objects as a rule; anything else is a body that is not understood. */
  bodies: readonly unknown[]
  /** Of any form; undefined where there is none or it is empty. */
  ext: unknown
}

/**
 * Parts a record. Bodies and ext stand in the payload, or where there is none beside it, and a body alone can stand
 * in the place of its holder (facts: Easemob docs SEED1); a payload or bodies can be written as JSON text; one body
 * needs no list. The same content gives the same bodies and ext, whichever way it is written.
 */
export function partsOf(record: Json): Parts {
  const { payload: written, bodies: outerBodies, ext: outerExt, ...outer } = record
  const content = fromText(written)
  const { bodies: innerBodies, ext: innerExt, ...payload } = asObject(content) ?? { bodies: content }
  const ext = unlessEmpty(innerExt)
  const parts = {
    outer: ext === undefined || unlessEmpty(outerExt) === undefined ? outer : { ...outer, ext: outerExt },
    payload,
    bodies: joined(listOf(innerBodies), listOf(outerBodies)),
    ext: ext ?? unlessEmpty(outerExt),
  }
  if (parts.bodies.length > 0) return parts
  for (const holder of ['payload', 'outer'] as const) {
    if (!isBodyType(parts[holder].type)) continue
    const { body, around } = loneBody(parts[holder])
    return { ...parts, [holder]: around, bodies: [body] }
  }
  return parts
}

/** The same, of members. In the form of the hour files nothing is moved, so nothing need be copied. */
export interface PartMembers {
  outer: Members
  payload: Members
  bodies: readonly unknown[]
  ext: unknown
}

/** Parts a record as `partsOf` does. */
export function partMembersOf(record: Json): PartMembers {
  const { payload } = record
  const content = record.bodies === undefined && record.ext === undefined ? asObject(payload) : undefined
  const bodies = content?.bodies
  if (content === undefined || !Array.isArray(bodies) || bodies.length === 0 || !bodies.every(asObject)) {
    const parts = partsOf(record)
    return { ...parts, outer: new Members(parts.outer), payload: new Members(parts.payload) }
  }
  return {
    outer: new Members(record, 'payload'),
    payload: new Members(content, 'bodies', 'ext'),
    bodies,
    ext: unlessEmpty(content.ext),
  }
}

function joined(inner: readonly unknown[], outer: readonly unknown[]): readonly unknown[] {
  if (inner.length === 0) return outer
  return outer.length === 0 || canonicalText(inner) === canonicalText(outer) ? inner : [...inner, ...outer]
}

/** The list, or the one thing as a list; what is written as JSON text is read. */
function listOf(value: unknown): readonly unknown[] {
  const bodies = fromText(value)
  if (Array.isArray(bodies)) return bodies.map(fromText)
  return bodies === '' || unlessEmpty(bodies) === undefined ? [] : [bodies]
}

/** What JSON text of an object or a list says; anything else as it is. */
function fromText(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value
  try {
    return parseLossless(value)
  } catch (error) {
    if (error instanceof SyntaxError) return value
    throw error
  }
}

/** The members that belong to a message, not to its body. */
const around = new Set([
  ...['msg_id', 'timestamp', 'from', 'to', 'chat_type', 'direction', 'group_id', 'groupId'],
  ...['uuid', 'created', 'modified', 'recall_id', 'ack_message_id', 'edit_message_id', 'meta'],
])

function loneBody(holder: Json): { body: Json; around: Json } {
  const members = Object.entries(holder)
  return {
    body: Object.fromEntries(members.filter(([name]) => !around.has(name))),
    around: Object.fromEntries(members.filter(([name]) => around.has(name))),
  }
}
