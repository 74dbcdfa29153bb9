import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { StartupError } from '../errors.ts'
import { deriveKey } from './token.ts'

const VERSION = 1
const ID_BYTES = 8
export const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Version and key id; authenticated together with the caller's context. */
const HEADER_BYTES = 1 + ID_BYTES
const OVERHEAD = HEADER_BYTES + NONCE_BYTES + TAG_BYTES

interface Key {
  readonly id: Buffer
  readonly secret: KeyObject
}

/**
 * Encryption at rest: AES-256-GCM (NIST SP 800-38D) with a random nonce. A box is
 * `version (1) | key id (8) | nonce (12) | tag (16) | ciphertext`; it opens only with the `aad`
 * that it was sealed with.
 */
export class SecretBox {
  readonly #current: Key
  readonly #keys: readonly Key[]

  /** `keys` newest first: the first seals, all of them open. */
  constructor(keys: readonly string[]) {
    this.#keys = keys.map((key) => ({
      id: deriveKey(key, 'secret-box id').subarray(0, ID_BYTES),
      secret: createSecretKey(deriveKey(key, 'secret-box key')),
    }))
    const [current] = this.#keys
    if (!current) throw new StartupError('KEY_ENCRYPTION_KEYS: at least one key is needed')
    this.#current = current
  }

  seal(plain: Uint8Array | string, aad: string): Buffer {
    const header = Buffer.concat([Buffer.of(VERSION), this.#current.id])
    return Buffer.concat([header, sealUnder(this.#current.secret, plain, associated(header, aad))])
  }

  /**
   * Throws `StartupError` if the key is not among ours (the operator can mend that), `Error` if the
   * box was altered or is another's.
   */
  open(box: Uint8Array, aad: string): Buffer {
    const bytes = Buffer.from(box.buffer, box.byteOffset, box.byteLength)
    if (bytes.length < OVERHEAD || bytes[0] !== VERSION)
      throw new Error('This is not a secret box of a version that is known here')
    const key = this.#keys.find(({ id }) => id.equals(bytes.subarray(1, HEADER_BYTES)))
    if (!key)
      throw new StartupError(
        'KEY_ENCRYPTION_KEYS: the key that encrypted the stored secrets is missing; add it at the end of the list',
      )
    try {
      return openUnder(
        key.secret,
        bytes.subarray(HEADER_BYTES),
        associated(bytes.subarray(0, HEADER_BYTES), aad),
      )
    } catch (cause) {
      throw new Error('A secret box was altered, or it belongs to something else', { cause })
    }
  }

  /** Whether the newest key sealed it; if not, sealing it again lets an old key be dropped (CF-04). */
  isCurrent(box: Uint8Array): boolean {
    return box[0] === VERSION && this.#current.id.equals(box.subarray(1, HEADER_BYTES))
  }
}

/** `nonce (12) | tag (16) | ciphertext`, under one key. A nonce of its own must not come twice. */
export function sealUnder(
  key: KeyObject,
  plain: Uint8Array | string,
  aad: Uint8Array,
  nonce: Uint8Array = randomBytes(NONCE_BYTES),
): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad)
  const ciphertext = cipher.update(plain)
  // GCM encrypts a stream: its end adds nothing but the tag.
  cipher.final()
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext])
}

/** Throws if another key or other `aad` sealed it, or if it was altered. */
export function openUnder(key: KeyObject, sealed: Buffer, aad: Uint8Array): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(aad)
    .setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
  return Buffer.concat([
    decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)),
    decipher.final(),
  ])
}

function associated(header: Uint8Array, aad: string): Buffer {
  return Buffer.concat([header, Buffer.from(aad)])
}
