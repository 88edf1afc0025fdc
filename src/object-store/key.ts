/** The key again. Throws TypeError on one that could lead out of the store or hide in it: keys are made by us. */
export function checkKey(key: string): string {
  for (const segment of key.split('/')) {
    if (segment === '' || segment.startsWith('.') || /[\\\0]/.test(segment))
      throw new TypeError(`"${key}" is no key of an object`)
  }
  return key
}
