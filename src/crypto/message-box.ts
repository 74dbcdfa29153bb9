import { createSecretKey, type KeyObject } from 'node:crypto'
import { NONCE_BYTES, openUnder, sealUnder } from './secret-box.ts'
import { deriveMacKey, hmac } from './token.ts'

/**
 * Encrypts messages that each have a name of their own, under a key that is made of ours *and* of the
 * name: neither of both opens anything by itself, and no number of messages wears a key out. Equal
 * messages of a name have equal boxes (TK-03).
 */
export class MessageBox {
  readonly #keys: readonly KeyObject[]

  /** `keys` newest first: the first seals, all of them open. */
  constructor(keys: readonly string[], purpose: string) {
    this.#keys = keys.map((key) => deriveMacKey(key, purpose))
  }

  /** `nonce (12) | tag (16) | ciphertext`. */
  seal(name: string, plain: string, aad: Uint8Array): Buffer {
    const [key] = this.#keys
    if (!key) throw new Error('there is no key to seal by')
    // Of what it says, so that no key encrypts two messages under one nonce.
    const nonce = hmac(key, `${name} ${plain}`).subarray(0, NONCE_BYTES)
    return sealUnder(keyOf(name, key), plain, aad, nonce)
  }

  /** Undefined if it was altered, was not sealed for that name and `aad`, or by a key that is gone. */
  open(name: string, box: Buffer, aad: Uint8Array): string | undefined {
    for (const key of this.#keys) {
      try {
        return openUnder(keyOf(name, key), box, aad).toString('utf8')
      } catch {
        // Another of our keys may open it.
      }
    }
    return undefined
  }
}

const keyOf = (name: string, key: KeyObject): KeyObject => createSecretKey(hmac(key, name))
