import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { calculateJwkThumbprint } from 'jose'
import type { SigningAlg } from '../../entities/signing-key.ts'

const generate = promisify(generateKeyPair)

export interface NewKey {
  readonly kid: string
  readonly publicJwk: Record<string, unknown>
  readonly privateJwk: Record<string, unknown>
}

/**
 * A key for the algorithm: P-256, Ed25519 or RSA of 3072 bits (JW-06); never on the thread that
 * answers requests.
 */
export async function newKey(alg: SigningAlg): Promise<NewKey> {
  const { privateKey, publicKey } =
    alg === 'ES256'
      ? await generate('ec', { namedCurve: 'P-256' })
      : alg === 'EdDSA'
        ? await generate('ed25519')
        : await generate('rsa', { modulusLength: 3072 })
  const jwk = publicKey.export({ format: 'jwk' }) as Record<string, unknown>
  const kid = await calculateJwkThumbprint(jwk)
  return {
    kid,
    publicJwk: { ...jwk, kid, alg, use: 'sig' },
    privateJwk: { ...privateKey.export({ format: 'jwk' }) },
  }
}
