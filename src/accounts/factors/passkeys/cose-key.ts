import { createPublicKey, type JsonWebKey } from 'node:crypto'

/** What we ask for, in this order: EdDSA, ES256 and RS256 (RFC 9053, RFC 8812). */
export const ALGORITHMS = [-8, -7, -257] as const

const RSA_BITS = { min: 2048, max: 4096 }

/** Labels of a COSE key (RFC 9052 7, RFC 9053 7.1, RFC 8230 4). */
const LABEL = { kty: 1, alg: 3, crv: -1, x: -2, y: -3, n: -1, e: -2 } as const
const TYPE = { okp: 1, ec2: 2, rsa: 3 } as const
const CURVE = { p256: 1, ed25519: 6 } as const

type CoseKey = ReadonlyMap<unknown, unknown>

/**
 * The algorithm of a key that signatures can be judged by; undefined for any other: of another
 * algorithm, with a point that is not on its curve, or too short.
 */
export function algorithmOf(key: CoseKey): number | undefined {
  const alg = key.get(LABEL.alg)
  const jwk = jwkOf(key)
  if (typeof alg !== 'number' || !jwk) return undefined
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: jwk, format: 'jwk' })
    const bits = asymmetricKeyDetails?.modulusLength ?? RSA_BITS.min
    return bits >= RSA_BITS.min && bits <= RSA_BITS.max ? alg : undefined
  } catch {
    return undefined
  }
}

function jwkOf(key: CoseKey): JsonWebKey | undefined {
  const has = (kty: number, alg: number, crv?: number): boolean =>
    key.get(LABEL.kty) === kty &&
    key.get(LABEL.alg) === alg &&
    (crv === undefined || key.get(LABEL.crv) === crv)
  const text = (label: number): string => {
    const value = key.get(label)
    return value instanceof Uint8Array ? Buffer.from(value).toString('base64url') : ''
  }
  if (has(TYPE.okp, -8, CURVE.ed25519)) return { kty: 'OKP', crv: 'Ed25519', x: text(LABEL.x) }
  if (has(TYPE.ec2, -7, CURVE.p256))
    return { kty: 'EC', crv: 'P-256', x: text(LABEL.x), y: text(LABEL.y) }
  if (has(TYPE.rsa, -257)) return { kty: 'RSA', n: text(LABEL.n), e: text(LABEL.e) }
  return undefined
}
