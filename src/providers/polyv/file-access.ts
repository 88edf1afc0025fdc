import type { FileAccess } from '../provider.ts'
import type { PolyvConfig } from './config.ts'

/** Pictures and documents of live rooms lie open on the service's CDN (facts: Polyv docs and SDK samples). */
export function polyvFileAccess({ baseUrl }: PolyvConfig): FileAccess {
  const { origin, hostname } = new URL(baseUrl)
  return {
    hosts: ['liveimages.videocc.net', '*.videocc.net'],
    ownHost: hostname,
    // The service has none of its own there; where the simulation serves them.
    isOwn: (url) => url.origin === origin && /^\/(?:chat|doc)\//.test(url.pathname),
    rate: null,
    mayAuthorize: () => false,
    authorize: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  }
}
