import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseSync } from '@photostructure/sqlite'
import type { Random } from '../../src/sandbox/random.ts'
import type { TestCluster } from '../support/cluster.ts'
import { removeDatabase } from '../support/database.ts'
import { until } from '../support/kafka.ts'
import { apiKeys } from '../support/proxy.ts'
import type { Processes } from './processes.ts'

/** What faults are done to. */
export interface Target {
  cluster: TestCluster
  processes: Processes
  database: string
  random: Random
}

/** Does one fault and takes it back. Says what it does before it begins. */
export type Fault = (target: Target, say: (what: string) => void) => Promise<void>

/** Faults of one lane follow each other; those of different lanes meet. */
export const lanes: Record<string, Record<string, Fault>> = {
  process: {
    kill: onOtherThanFirst('SIGKILL'),
    stop: onOtherThanFirst('SIGTERM'),
    async freeze({ processes, random }, say) {
      const slot = random.integer(0, processes.count - 1)
      const ms = random.integer(500, 16_000)
      say(`process ${slot} for ${seconds(ms)}`)
      processes.signal(slot, 'SIGSTOP')
      await delay(ms)
      processes.signal(slot, 'SIGCONT')
    },
    async storm(target, say) {
      const times = target.random.integer(3, 6)
      say(`${times} kills, one a second`)
      for (let time = 0; time < times; time++) {
        await onOtherThanFirst('SIGKILL')(target, () => undefined)
        await delay(1_000)
      }
    },
  },
  kafka: {
    async restart({ cluster, random }, say) {
      const broker = random.pick(cluster.brokers)
      say(`broker ${broker.id}`)
      await broker.stop()
      await broker.start()
    },
    async outage({ cluster, random }, say) {
      const broker = random.pick(cluster.brokers)
      const ms = random.integer(0, 8_000)
      say(`broker ${broker.id}, kill -9, back after ${seconds(ms)}`)
      await broker.kill()
      await delay(ms)
      await broker.start()
    },
    async cut({ cluster, random }, say) {
      const broker = random.pick(cluster.brokers)
      const ms = random.integer(100, 8_000)
      say(`the network of broker ${broker.id} for ${seconds(ms)}`)
      broker.proxy?.cut()
      await delay(ms)
      broker.proxy?.heal()
    },
    async loss({ cluster, random }, say) {
      const [name, apiKey] = random.pick(Object.entries(apiKeys))
      const ms = random.integer(2_000, 6_000)
      say(`every second answer to ${name} for ${seconds(ms)}`)
      for (const { proxy } of cluster.brokers)
        if (proxy) proxy.drops = (key) => key === apiKey && random.chance(0.5)
      await delay(ms)
      for (const { proxy } of cluster.brokers) if (proxy) proxy.drops = () => false
    },
    async silence({ cluster, random }, say) {
      const broker = random.pick(cluster.brokers)
      const ms = random.integer(1_000, 4_000)
      say(`broker ${broker.id} answers nothing for ${seconds(ms)}, and those answers never come`)
      if (broker.proxy) broker.proxy.swallows = () => true
      await delay(ms)
      if (broker.proxy) broker.proxy.swallows = () => false
    },
    async delay({ cluster, random }, say) {
      const ms = random.integer(50, 500)
      say(`answers ${ms} ms late for 5 s`)
      for (const { proxy } of cluster.brokers) if (proxy) proxy.delayMs = ms
      await delay(5_000)
      for (const { proxy } of cluster.brokers) if (proxy) proxy.delayMs = 0
    },
  },
  sink: {
    async lock({ database, random }, say) {
      const ms = random.integer(500, 9_000)
      say(`the database for ${seconds(ms)}`)
      const db = new DatabaseSync(database, { timeout: 5_000 })
      try {
        db.exec('begin exclusive')
        await delay(ms)
        db.exec('rollback')
      } finally {
        db.close()
      }
    },
    async remove({ database }, say) {
      say('the database, which is to fill anew')
      removeDatabase(database)
      await until('the database is there again', () => existsSync(database), 120_000)
    },
  },
}

/** The first process is spared, so that what it holds can be compared at the end. */
function onOtherThanFirst(signal: NodeJS.Signals): Fault {
  return ({ processes, random }, say) => {
    const slot = random.integer(1, processes.count - 1)
    say(`process ${slot}`)
    processes.signal(slot, signal)
    return Promise.resolve()
  }
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
