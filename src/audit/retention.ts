/** The clocks of brokers and producers differ a little. */
const slackMs = 600_000

/**
 * The moment before which records of a topic may be gone by its own settings, epoch ms; 0 where it keeps all. A limit
 * of bytes cannot be reckoned: what came before the oldest record that is left, at `oldestMs`, may be gone by it.
 */
export function goneBeforeMs(
  settings: ReadonlyMap<string, string> | undefined,
  oldestMs: number | null,
  nowMs: number,
): number {
  if (!settings?.get('cleanup.policy')?.includes('delete')) return 0
  const keptMs = Number(settings.get('retention.ms') ?? -1)
  const byTime = keptMs < 0 ? 0 : nowMs - keptMs + slackMs
  return isBoundedInBytes(settings) ? Math.max(byTime, oldestMs ?? 0) : byTime
}

/** Whether a topic lets go of records for their size. */
export function isBoundedInBytes(settings: ReadonlyMap<string, string> | undefined): boolean {
  return Number(settings?.get('retention.bytes') ?? -1) >= 0
}

/** Whether a topic keeps only the newest record of a key. */
export function isCompacted(settings: ReadonlyMap<string, string> | undefined): boolean {
  return settings?.get('cleanup.policy')?.includes('compact') ?? false
}
