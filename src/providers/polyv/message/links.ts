/** A link as it can be used: protocol-relative ones (`//s1.videocc.net/face.png`) get https. */
export function absoluteUrl(url: string): string {
  return url.startsWith('//') ? `https:${url}` : url
}

/** True for an http(s) or protocol-relative link. */
export function isLink(url: string): boolean {
  return /^(https?:)?\/\/[^/\s]+/.test(url)
}
