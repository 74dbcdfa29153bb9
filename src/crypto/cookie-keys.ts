import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { equal } from './token.ts'

/**
 * Signatures of cookies, as Keygrip makes them for Koa and oidc-provider: HMAC-SHA-1, base64url,
 * the newest key first. Keygrip compares them by two more HMACs under a random key, which cost more
 * than all else that is done about a cookie.
 */
export class CookieKeys {
  readonly #keys: readonly KeyObject[]

  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => createSecretKey(secret, 'utf8'))
  }

  sign(data: string): string {
    const [newest] = this.#keys
    if (!newest) throw new Error('there is no key to sign cookies with')
    return signature(newest, data)
  }

  /** Which key has signed it: 0 is the newest, which needs no new signature; -1 none. */
  index(data: string, signed: string): number {
    const sent = Buffer.from(signed)
    return this.#keys.findIndex((key) => equal(sent, Buffer.from(signature(key, data))))
  }

  verify(data: string, signed: string): boolean {
    return this.index(data, signed) >= 0
  }
}

function signature(key: KeyObject, data: string): string {
  return createHmac('sha1', key).update(data).digest('base64url')
}
