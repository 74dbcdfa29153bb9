import {
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  sign,
} from 'node:crypto'
import { ExternalSigningKey } from 'oidc-provider'
import type { PrivateJwk } from './signing-keys.ts'

/** The version of the provider's experiment that `external-key.test.ts` holds it to. */
export const EXTERNAL_SIGNING = { enabled: true, ack: 'experimental-01' } as const

/**
 * Signs on the thread that asks. WebCrypto hands each signature to libuv's four threads, where it
 * waits behind files, DNS and whatever else is there; ES256 and EdDSA cost about 30 microseconds,
 * less than that journey. RSA is dear and stays there.
 */
export function signingHere(jwk: PrivateJwk): PrivateJwk | ExternalSigningKey {
  return jwk.alg === 'ES256' || jwk.alg === 'EdDSA' ? new SynchronousKey(jwk) : jwk
}

class SynchronousKey extends ExternalSigningKey {
  readonly #private: KeyObject
  readonly #public: KeyObject
  readonly #isEs256: boolean

  constructor(jwk: PrivateJwk) {
    super()
    this.#private = createPrivateKey({ key: jwk as unknown as JsonWebKey, format: 'jwk' })
    this.#public = createPublicKey(this.#private)
    this.#isEs256 = jwk.alg === 'ES256'
    Object.assign(this, { kid: jwk.kid, alg: jwk.alg })
  }

  override keyObject(): KeyObject {
    return this.#public
  }

  override sign(data: Uint8Array): Uint8Array {
    return this.#isEs256
      ? rawSignature(sign('sha256', data, this.#private))
      : sign(null, data, this.#private)
  }
}

const INTEGER_BYTES = 32

/**
 * DER (RFC 3279 2.2.3) to the two integers side by side (RFC 7518 3.4). `dsaEncoding: 'ieee-p1363'`
 * does it at twice the cost of signing.
 */
export function rawSignature(der: Buffer): Buffer {
  const raw = Buffer.alloc(2 * INTEGER_BYTES)
  let at = 2
  for (let end = INTEGER_BYTES; end <= raw.length; end += INTEGER_BYTES) {
    const length = der.readUInt8(at + 1)
    const start = at + 2
    const skipped = Math.max(0, length - INTEGER_BYTES)
    der.copy(raw, end - (length - skipped), start + skipped, start + length)
    at = start + length
  }
  return raw
}
