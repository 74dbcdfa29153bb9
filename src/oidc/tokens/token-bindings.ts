import { createSecretKey, type KeyObject } from 'node:crypto'
import { NONCE_BYTES, openUnder, sealUnder } from '../../crypto/secret-box.ts'
import { deriveKey, hmac } from '../../crypto/token.ts'

/** What the token of a person hangs on: it is good while both are there. */
export interface Binding {
  readonly grantId: string
  /** Of a token that ends with its session. */
  readonly sessionUid?: string | undefined
}

/** The claim of a JWT that says it. */
export const BINDING = 'gatehouse_binding'

/**
 * Seals into a JWT what it hangs on, so that it can be judged when it comes back and nothing is
 * stored for it. APIs see noise, another in each token: by a session in clear they could tell that
 * people of two apps are one.
 */
export class TokenBindings {
  readonly #keys: readonly Buffer[]

  /** `KEY_ENCRYPTION_KEYS`, newest first. */
  constructor(keys: readonly string[]) {
    this.#keys = keys.map((key) => deriveKey(key, 'token bindings'))
  }

  seal(jti: string, { grantId, sessionUid }: Binding): string {
    const [key] = this.#keys
    if (!key) throw new Error('there is no key to seal by')
    const plain = JSON.stringify([grantId, sessionUid])
    // The same token has the same text when it is given again (TK-03).
    const nonce = hmac(key, `${jti} ${plain}`).subarray(0, NONCE_BYTES)
    return sealUnder(keyFor(jti, key), plain, Buffer.from(jti), nonce).toString('base64url')
  }

  /** Undefined if it was not sealed for that token, or by a key that is gone. */
  open(jti: string, sealed: string): Binding | undefined {
    for (const key of this.#keys) {
      try {
        const plain = openUnder(
          keyFor(jti, key),
          Buffer.from(sealed, 'base64url'),
          Buffer.from(jti),
        )
        const [grantId, sessionUid] = JSON.parse(plain.toString('utf8')) as [string, string | null]
        return { grantId, sessionUid: sessionUid ?? undefined }
      } catch {
        // Sealed under another of our keys, or for another token.
      }
    }
    return undefined
  }
}

/** Each token has a key of its own, so that no number of tokens wears a key out. */
const keyFor = (jti: string, key: Buffer): KeyObject => createSecretKey(hmac(key, jti))
