import type { FileFormat } from './format.ts'

/** The words for `format` of a sink. */
export const formatNames = ['ndjson', 'avro', 'parquet'] as const
/** One of `formatNames`. */
export type FormatName = (typeof formatNames)[number]

/** Loads the code of a format: only of the one that is used. */
export async function openFormat(name: FormatName): Promise<FileFormat> {
  switch (name) {
    case 'ndjson':
      return (await import('./ndjson.ts')).ndjson
    case 'avro':
      return (await import('./avro.ts')).avro
    case 'parquet':
      return (await import('./parquet.ts')).parquet
  }
}
