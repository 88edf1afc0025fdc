import type { Problems } from './problems.ts'
import type { Tables } from './tables.ts'

/** What may be gone from topics by their own settings, and how long dedup remembers. Epoch ms and ms. */
export interface PassageLimits {
  /** Records older than this may be gone; 0 where all are kept. */
  goneBeforeMs: { unique: number; messages: number; dead: number }
  /** Of one id `messages` keeps only the newest revision. */
  isCompacted: boolean
  windowMs: number
}

/** Every (id, fingerprint) of `raw` must be in `unique`, unless dedup was right to leave it out or it has aged. */
export function checkUnique(tables: Tables, problems: Problems, limits: PassageLimits): void {
  const { goneBeforeMs, windowMs } = limits
  tables.db.exec(`
    create table absent as
    select id, fingerprint from raw indexed by raw_ids
    where not exists (
      select 1 from accepted where accepted.id = raw.id and accepted.fingerprint = raw.fingerprint)
    group by id, fingerprint`)
  problems.addFound(
    'missing',
    'unique',
    `select id, raw.unit, position, topic, partition, min(offset)
     from absent cross join raw using (id, fingerprint) join audited using (unit)
     where not (${isStale} and not ${isFiledByPlace}) and not ${hasAged}
     group by id, fingerprint`,
    {
      window: windowMs,
      uniqueGone: goneBeforeMs.unique,
      // Where messages are not kept for good, what they do not show may have been there.
      unitGone: goneBeforeMs.messages > 0 ? goneBeforeMs.unique : 0,
    },
  )
}

/**
 * Dedup's own rule (`SeenMessages.judge`): a copy fetched before the newest copy of its id accepted so far. An id lives
 * in one partition of one topic, so a copy was judged before this one when its offset is lower, or when it is gone.
 */
const isStale = `exists (
  select 1 from accepted as newer
  where newer.id = raw.id and newer.fetched_at > raw.fetched_at and newer.ts > raw.ts - :window
    and coalesce((
      select min(copy.offset) from raw as copy
      where copy.id = newer.id and copy.fingerprint = newer.fingerprint and copy.fetched_at = newer.fetched_at
    ), -1) < raw.offset)`

/** What has no id of its own is never stale: another file of that name has another record at its place. */
const isFiledByPlace = `(substr(raw.id, -length('#' || raw.position)) = '#' || raw.position)`

/**
 * The content may have been accepted so long ago that `unique` no longer has it: what became of the message then is
 * still to be seen, and dedup still remembered it.
 */
const hasAged = `(
  raw.ts < :unitGone or coalesce(published_at, raw.ts) < :unitGone
  or exists (
    select 1 from (
      select min(ts) as first, max(ts) as last from (
        select ts from messages where messages.id = raw.id
        union all select ts from letters where letters.id = raw.id))
    where first < :uniqueGone and last > raw.ts - :window))`

/** Every (id, revision) of `unique` must be in `messages`, or that record of `unique` in `dead`. */
export function checkMessages(tables: Tables, problems: Problems, limits: PassageLimits): void {
  const { goneBeforeMs, isCompacted } = limits
  tables.db.exec(`
    create table unmet as
    select id, revision from accepted indexed by accepted_ids
    where not exists (select 1 from messages where messages.id = accepted.id
      and messages.revision ${isCompacted ? '>=' : '='} accepted.revision)
    group by id, revision`)
  problems.addFound(
    'missing',
    'messages',
    `select id, unit, position, topic, partition, offset
     from unmet cross join accepted using (id, revision) join audited using (unit)
     where ts >= :gone and not exists (
       select 1 from letters where letters.topic = accepted.topic
         and letters.partition = accepted.partition and letters.offset = accepted.offset)`,
    { gone: Math.max(goneBeforeMs.messages, goneBeforeMs.dead) },
  )
}

/** A record of `raw.*` or `unique` that is no raw message must be in `dead`. It tells no unit: `unit` stands for all such. */
export function checkDead(
  tables: Tables,
  problems: Problems,
  { goneBeforeMs }: PassageLimits,
  { unit, messages }: { unit: number; messages: number },
): void {
  problems.addFound(
    'missing',
    'dead',
    `select null, :unit, null, topic, partition, offset from unreadable
     where topic <> :messages and ts >= :gone and not exists (
       select 1 from letters where letters.topic = unreadable.topic
         and letters.partition = unreadable.partition and letters.offset = unreadable.offset)`,
    { gone: goneBeforeMs.dead, unit, messages },
  )
}
