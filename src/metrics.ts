import { Counter, Gauge, type Histogram, Registry } from 'prom-client'
import { DelayHistogram } from './delay-histogram.ts'

/** Everything chatfeed measures, under stable Prometheus names; the terminal summary reads the same numbers. */
export const registry = new Registry()

const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
  new Counter({ name: `chatfeed_${name}`, help, labelNames, registers: [registry] })
const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
  new Gauge({ name: `chatfeed_${name}`, help, labelNames, registers: [registry] })

/** When the oldest unfinished unit of a source is gone for good, epoch ms, by source; absent where none ever is. */
export const unitDeadlines = new Map<string, number>()

/** One object a metric; the names and labels are a promise to users. */
export const metrics = {
  ingested: counter('ingested_total', 'Records published to raw topics.', ['source']),
  ingestedBytes: counter('ingested_bytes_total', 'Bytes of those records.', ['source']),
  duplicates: counter('duplicates_total', 'Records left out by dedup: repeat or stale.', ['reason']),
  processed: counter('processed_total', 'Records taken in by a stage.', ['stage']),
  dead: counter('dead_total', 'Records sent to the dead topic.', ['stage', 'code']),
  sinkRows: counter('sink_rows_total', 'Messages written to a sink.', ['sink']),
  webhookDeliveries: counter('webhook_deliveries_total', 'Requests to a webhook by outcome.', [
    'sink',
    'outcome',
  ]),
  lag: gauge('lag_records', 'Records that a group has still to read.', ['group', 'topic', 'partition']),
  providerRequests: counter('provider_requests_total', 'Requests to the provider by outcome.', [
    'source',
    'outcome',
  ]),
  unitExpiry: new Gauge({
    name: 'chatfeed_unit_expiry_seconds',
    help: 'Until the oldest unfinished unit is gone for good.',
    labelNames: ['source'],
    registers: [registry],
    // Counts down also while the source does nothing: that is when it matters.
    collect() {
      this.reset()
      for (const [source, deadline] of unitDeadlines) this.set({ source }, (deadline - Date.now()) / 1_000)
    },
  }),
  attachments: counter('attachments_total', 'Attachments that were asked for, by what became of them.', [
    'state',
  ]),
  attachmentFailures: counter('attachment_failures_total', 'Attachments that are not there, by reason.', [
    'reason',
  ]),
  delay: new DelayHistogram(
    'chatfeed_delay_seconds',
    'From the moment chatfeed received a record to the end of the stage.',
  ),
}
// The registry asks for no more than a name and `get`.
registry.registerMetric(metrics.delay as unknown as Histogram)
