/** gz lines → JSON → Avro envelope → topic, as one writes it with kafkajs, split2 and avsc: FILE BROKER TOPIC. */
import { createReadStream, readFileSync } from 'node:fs'
import { createGunzip } from 'node:zlib'
import avsc from 'avsc'
import kafkajs from 'kafkajs'
import split2 from 'split2'
import './lz4.ts'

const [file = '', broker = '', topic = ''] = process.argv.slice(2)
const perSend = 1_000

const { CompressionTypes, Kafka, logLevel } = kafkajs
const schema = readFileSync(new URL('../envelope.avsc', import.meta.url), 'utf8')
const envelope = avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema)
const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR })
const producer = kafka.producer({ idempotent: true, retry: { retries: 100 } })
await producer.connect()

let messages: { key: string; value: Buffer }[] = []
const lines = createReadStream(file, { highWaterMark: 1 << 18 })
  .pipe(createGunzip({ chunkSize: 1 << 16 }))
  .pipe(split2()) as AsyncIterable<string>
for await (const payload of lines) {
  const { msg_id: messageId, timestamp } = JSON.parse(payload) as { msg_id: string; timestamp: number }
  const id = `easemob:acme#helpdesk:${messageId}`
  const value = envelope.toBuffer({ id, source: 'bench', sentAt: timestamp, fetchedAt: Date.now(), payload })
  messages.push({ key: id, value })
  if (messages.length >= perSend) await send()
}
if (messages.length > 0) await send()
await producer.disconnect()

async function send(): Promise<void> {
  await producer.send({ topic, messages, acks: -1, compression: CompressionTypes.LZ4 })
  messages = []
}
