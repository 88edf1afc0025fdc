import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** Where chatfeed keeps what it downloaded: shared by all data directories, safe to delete. */
export function cacheDirectory(): string {
  const { XDG_CACHE_HOME: cache } = process.env
  // The XDG specification lets a relative path be ignored.
  return join(cache && isAbsolute(cache) ? cache : join(homedir(), '.cache'), 'chatfeed')
}
