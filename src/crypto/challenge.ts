import { type KeyObject, randomBytes } from 'node:crypto'
import { deriveMacKey, equal, hmac } from './token.ts'

const NONCE_BYTES = 16
const EXPIRY_BYTES = 4
const STAMPED_BYTES = NONCE_BYTES + EXPIRY_BYTES
const MAC_BYTES = 16
/** 36 bytes in base64url. */
const FORM = /^[\w-]{48}$/

/** What a challenge is for: the types of WebAuthn's client data, and steps of ours. */
export type Ceremony =
  | 'webauthn.get'
  | 'webauthn.create'
  | 'terms.ask'
  | 'terms.accepted'
  | 'sign-up.shown'
  | 'sign-up.work'

/**
 * Challenges that nothing is stored of: `nonce (16) | expiry (4) | HMAC (16)`. Each is good for one
 * ceremony of one binding. That it is used once is the caller's business.
 */
export class StatelessChallenges {
  readonly #keys: readonly KeyObject[]

  /** `secrets` newest first: the first makes challenges, all of them judge. */
  constructor(secrets: readonly string[], purpose = 'passkey challenges') {
    this.#keys = secrets.map((secret) => deriveMacKey(secret, purpose))
  }

  make(ceremony: Ceremony, binding: string, lifetimeSeconds: number): string {
    const [newest] = this.#keys
    if (!newest) throw new Error('there is no key to make challenges with')
    const stamped = Buffer.alloc(STAMPED_BYTES)
    randomBytes(NONCE_BYTES).copy(stamped)
    stamped.writeUInt32BE(Math.floor(Date.now() / 1000) + lifetimeSeconds, NONCE_BYTES)
    return Buffer.concat([stamped, mac(newest, ceremony, binding, stamped)]).toString('base64url')
  }

  /** When a challenge ends; undefined for one that is foreign, altered or past its end. */
  judge(challenge: string, ceremony: Ceremony, binding: string): Date | undefined {
    if (!FORM.test(challenge)) return undefined
    const bytes = Buffer.from(challenge, 'base64url')
    const stamped = bytes.subarray(0, STAMPED_BYTES)
    const sent = bytes.subarray(STAMPED_BYTES)
    if (!this.#keys.some((key) => equal(sent, mac(key, ceremony, binding, stamped))))
      return undefined
    const end = stamped.readUInt32BE(NONCE_BYTES) * 1000
    return end > Date.now() ? new Date(end) : undefined
  }
}

function mac(key: KeyObject, ceremony: Ceremony, binding: string, stamped: Buffer): Buffer {
  const said = `${ceremony}\0${binding}\0${stamped.toString('base64url')}`
  return hmac(key, said).subarray(0, MAC_BYTES)
}
