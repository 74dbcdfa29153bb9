import type { StoredPayload } from './stored-payload.ts'

/**
 * NUL and lone surrogates as `JSON.stringify` writes them: valid JSON that PostgreSQL's jsonb
 * refuses. A client's `nonce` may hold them.
 */
const REFUSED = /\\u(?:0000|d[89a-f][0-9a-f]{2})/

export function toJsonb(stored: StoredPayload): string {
  const text = JSON.stringify(stored)
  if (!REFUSED.test(text)) return text
  return JSON.stringify({
    $packed: Buffer.from(text).toString('base64'),
    expiresWithSession: stored['expiresWithSession'],
  })
}

export function fromJsonb(text: string): StoredPayload {
  const stored = JSON.parse(text) as StoredPayload
  const { $packed } = stored
  return typeof $packed === 'string'
    ? (JSON.parse(Buffer.from($packed, 'base64').toString('utf8')) as StoredPayload)
    : stored
}
