import { inTransaction, openForWriting } from './database.ts'
import { attempted } from './failure.ts'

/** See `SinkType.rewind`. Emptied, the database forgets the positions of every stream, for their messages are gone too. */
export function rewindSqlite(
  path: string,
  stream: string,
  to: ReadonlyMap<number, number> | null,
): Promise<void> {
  return attempted(path, () => {
    const db = openForWriting(path)
    try {
      inTransaction(db, () => {
        if (to === null) {
          db.exec('delete from message_words; delete from messages; delete from positions')
          return
        }
        const back = db.prepare(
          'update positions set next_offset = min(next_offset, ?) where stream = ? and partition = ?',
        )
        for (const [partition, offset] of to) back.run(offset, stream, partition)
      })
    } finally {
      db.close()
    }
  })
}
