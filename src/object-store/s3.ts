import type { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { checkKey } from './key.ts'
import type { ObjectInfo, ObjectStore, S3Settings } from './object-store.ts'
import { isMissing, isTaken, noObject, s3Failure } from './s3-failure.ts'

/** What is held in memory of an object that is written; S3 takes 10,000 parts of an object, of 5 MiB at least. */
const partBytes = 8 * 2 ** 20
const mostParts = 10_000

/**
 * Objects of a bucket below a prefix. Nothing is asked of the service yet. Keys that are not given are looked for where
 * every AWS program does: environment, profile, the role of the machine.
 */
export function openS3Store(place: string, settings: S3Settings): ObjectStore {
  const { endpoint, region, accessKeyId, secretAccessKey } = settings
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]+)\/*(.*?)\/*$/i.exec(place) ?? []
  const client = new S3Client({
    ...(region !== undefined || endpoint !== undefined ? { region: region ?? 'us-east-1' } : {}),
    // A service of one's own has one name for all its buckets, and may not know the newer checksums.
    ...(endpoint !== undefined
      ? { endpoint, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' as const }
      : {}),
    ...(accessKeyId !== undefined && secretAccessKey !== undefined
      ? { credentials: { accessKeyId, secretAccessKey } }
      : {}),
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 30_000, throwOnRequestTimeout: true },
  })
  return new S3Store(client, bucket, path === '' ? '' : `${path}/`)
}

class S3Store implements ObjectStore {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #prefix: string

  constructor(client: S3Client, bucket: string, prefix: string) {
    this.#client = client
    this.#bucket = bucket
    this.#prefix = prefix
  }

  /** One request where the body is short, otherwise parts that become an object with the last call. */
  async put(key: string, body: AsyncIterable<Uint8Array>, size = 0): Promise<void> {
    const target = this.#target(key)
    const parts = partsOf(body, Math.max(partBytes, Math.ceil(size / mostParts)))
    const first = await parts.next()
    const second = first.done ? first : await parts.next()
    if (second.done) {
      const whole = new PutObjectCommand({ ...target, Body: first.done ? Buffer.alloc(0) : first.value })
      await this.#telling(this.#client.send(whole))
      return
    }
    const { UploadId } = await this.#telling(this.#client.send(new CreateMultipartUploadCommand(target)))
    const upload = { ...target, UploadId }
    try {
      const Parts: { ETag: string | undefined; PartNumber: number }[] = []
      const send = async (Body: Uint8Array) => {
        const PartNumber = Parts.length + 1
        const part = new UploadPartCommand({ ...upload, PartNumber, Body })
        Parts.push({ PartNumber, ETag: (await this.#telling(this.#client.send(part))).ETag })
      }
      await send(first.value as Uint8Array)
      await send(second.value)
      for await (const part of parts) await send(part)
      const completion = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } })
      await this.#telling(this.#client.send(completion))
    } catch (error) {
      // A bucket's lifecycle rule removes what this cannot.
      await this.#client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined)
      throw error
    }
  }

  async putNew(key: string, body: Uint8Array): Promise<boolean> {
    const command = new PutObjectCommand({ ...this.#target(key), Body: body, IfNoneMatch: '*' })
    try {
      await this.#client.send(command)
      return true
    } catch (error) {
      if (isTaken(error)) return false
      throw s3Failure(error, this.#bucket)
    }
  }

  async size(key: string): Promise<number | null> {
    try {
      return (await this.#client.send(new HeadObjectCommand(this.#target(key)))).ContentLength ?? 0
    } catch (error) {
      if (isMissing(error)) return null
      throw s3Failure(error, this.#bucket)
    }
  }

  async get(key: string): Promise<Readable> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand(this.#target(key)))
      return Body as Readable
    } catch (error) {
      throw isMissing(error) ? noObject(key) : s3Failure(error, this.#bucket)
    }
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    const question = { Bucket: this.#bucket, Prefix: this.#prefix + prefix }
    try {
      for await (const page of paginateListObjectsV2({ client: this.#client }, question)) {
        for (const { Key, Size } of page.Contents ?? []) {
          if (Key !== undefined) yield { key: Key.slice(this.#prefix.length), size: Size ?? 0 }
        }
      }
    } catch (error) {
      throw s3Failure(error, this.#bucket)
    }
  }

  async remove(key: string): Promise<void> {
    await this.#telling(this.#client.send(new DeleteObjectCommand(this.#target(key))))
  }

  close(): Promise<void> {
    this.#client.destroy()
    return Promise.resolve()
  }

  #target(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + checkKey(key) }
  }

  async #telling<T>(call: Promise<T>): Promise<T> {
    try {
      return await call
    } catch (error) {
      throw s3Failure(error, this.#bucket)
    }
  }
}

/** The body in parts of one size, but for the last. */
async function* partsOf(body: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    for (let rest = chunk; rest.length > 0;) {
      const taken = rest.subarray(0, size - length)
      held.push(taken)
      length += taken.length
      rest = rest.subarray(taken.length)
      if (length < size) continue
      yield Buffer.concat(held, length)
      held = []
      length = 0
    }
  }
  if (length > 0) yield Buffer.concat(held, length)
}
