/** The hard cap of a password, in code points and in bytes of UTF-8 (PW-02). */
export const MAX_PASSWORD = { codePoints: 256, bytes: 1024 } as const

/** In UTF-16: what is longer than this is over the cap even if NFC composes all of it. */
const COMPOSABLE = 4 * MAX_PASSWORD.bytes

/**
 * The text that is judged, hashed and compared: NFC and nothing else, no trimming, cutting or
 * folding (PW-06). Undefined over the hard cap, found out before anything dear.
 */
export function normalizePassword(password: string): string | undefined {
  if (password.length > COMPOSABLE) return undefined
  const text = password.normalize('NFC')
  if (codePoints(text) > MAX_PASSWORD.codePoints || Buffer.byteLength(text) > MAX_PASSWORD.bytes)
    return undefined
  return text
}

export function codePoints(text: string): number {
  return [...text].length
}
