import assert from 'node:assert/strict'
import type { Bench } from './bench.ts'

/** Fails when a credential, token or signature that went over the wire is in `told` or in the log. */
export function assertTellsNothing(bench: Bench, told: string): void {
  for (const { asked } of bench.wire.exchanges) {
    const sent = `${asked.path}&${asked.body}`
    const secrets = [
      asked.headers.authorization?.split(' ').at(-1),
      ...[...sent.matchAll(/\b(?:sign|Signature)=([^&"]+)/g)].map(([, value]) => value),
      ...[...sent.matchAll(/"client_secret":"([^"]+)"/g)].map(([, value]) => value),
    ]
    for (const secret of secrets)
      assert.ok(secret === undefined || !`${told}\n${bench.log()}`.includes(secret), 'a secret was told')
  }
}
