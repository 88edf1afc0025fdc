import type { Problems } from './problems.ts'
import type { Tables } from './tables.ts'

/** Ids worth a closer look. */
const acceptedTwice = `
  select id from accepted indexed by accepted_ids group by id
  having count(*) > count(distinct revision) or count(*) > count(distinct fingerprint)`
const carriedTwice = `
  select id from messages indexed by message_ids group by id having count(*) > count(distinct revision)`

const order = 'order by ts, partition, offset'

/**
 * No (id, revision) twice in `unique` or `messages`, and no (id, fingerprint) twice in `unique`, in whichever
 * partitions, unless the window of dedup lies between the two: after it a repeat counts as new. Every record but the
 * first is a problem.
 */
export function checkDoubles(tables: Tables, problems: Problems, windowMs: number): void {
  // The time of a record is a little off the moment that dedup went by: a batch waits, a write is tried again.
  const window = windowMs - Math.min(60_000, windowMs / 10)
  problems.addFound(
    'doubled',
    'unique',
    `select id, unit, position, topic, partition, offset from (
       select *, ts - lag(ts) over (partition by id, revision ${order}) as since_revision,
                 ts - lag(ts) over (partition by id, fingerprint ${order}) as since_content
       from accepted where id in (${acceptedTwice}))
     where (since_revision < :window or since_content < :window) and unit in (select unit from audited)`,
    { window },
  )
  // A message can wait long for enrich, so that two of different windows meet; then they were not fetched together.
  problems.addFound(
    'doubled',
    'messages',
    `select id, unit, position, topic, partition, offset from (
       select *, ts - lag(ts) over same as since, abs(fetched_at - lag(fetched_at) over same) as apart
       from messages where id in (${carriedTwice})
       window same as (partition by id, revision ${order}))
     where since < :window and apart < :window and unit in (select unit from audited)`,
    { window },
  )
}
