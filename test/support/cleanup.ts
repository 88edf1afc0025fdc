/** Where what was opened is told how to close it: a test (`t`), or a script of its own. */
export interface Cleanup {
  after(close: () => unknown): void
}
