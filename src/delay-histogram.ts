const buckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600] as const

interface Sample {
  labels: { stage: string; le?: number | string }
  value: number
  metricName: string
}

/** The delays of one stage. */
export class StageDelays {
  /** Of each bucket alone; the last is for what is longer than all of them. */
  readonly counts = new Float64Array(buckets.length + 1)
  sum = 0

  add(seconds: number): void {
    let bucket = 0
    while (bucket < buckets.length && seconds > buckets[bucket]!) bucket++
    this.counts[bucket]!++
    this.sum += seconds
  }
}

/**
 * A Prometheus histogram of seconds by stage. It is asked for every record of every stage: prom-client's own takes
 * half a microsecond for a value, because it looks its labels up each time.
 */
export class DelayHistogram {
  readonly name: string
  readonly help: string
  readonly labelNames = ['stage'] as const
  readonly #stages = new Map<string, StageDelays>()

  constructor(name: string, help: string) {
    this.name = name
    this.help = help
  }

  /** To be kept by whoever counts much. */
  of(stage: string): StageDelays {
    let delays = this.#stages.get(stage)
    if (!delays) {
      delays = new StageDelays()
      this.#stages.set(stage, delays)
    }
    return delays
  }

  observe({ stage }: { stage: string }, seconds: number): void {
    this.of(stage).add(seconds)
  }

  /** What prom-client's registry asks a metric for. */
  get() {
    const values: Sample[] = []
    for (const [stage, { counts, sum }] of this.#stages) {
      let count = 0
      for (const [bucket, le] of [...buckets, '+Inf'].entries()) {
        count += counts[bucket]!
        values.push({ labels: { le, stage }, value: count, metricName: `${this.name}_bucket` })
      }
      values.push({ labels: { stage }, value: sum, metricName: `${this.name}_sum` })
      values.push({ labels: { stage }, value: count, metricName: `${this.name}_count` })
    }
    return Promise.resolve({ name: this.name, help: this.help, type: 'histogram', aggregator: 'sum', values })
  }
}
