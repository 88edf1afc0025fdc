/** Exit statuses: 0 done · 1 failed, or something is lost · 2 bad usage or configuration. */
export const exitStatus = { done: 0, failed: 1, usage: 2 } as const

/** Options that every command has. */
export interface CommonOptions {
  config?: string
  verbose?: boolean
}
