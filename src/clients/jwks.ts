import { createPublicKey, type KeyObject } from 'node:crypto'

export type JsonWebKeySet = { readonly keys: readonly Readonly<Record<string, string>>[] }
export type CheckedJwks = { readonly jwks: JsonWebKeySet } | { readonly refused: string }

const MAX_BYTES = 65_536
const MAX_KEYS = 10
const MIN_RSA_BITS = 3072
const ALGS: Readonly<Record<string, readonly string[]>> = {
  RSA: ['RS256', 'PS256'],
  'P-256': ['ES256'],
  Ed25519: ['EdDSA', 'Ed25519'],
}
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
const KEPT = ['kty', 'kid', 'use', 'alg', 'n', 'e', 'crv', 'x', 'y']

/**
 * The public keys of a client that authenticates by `private_key_jwt` (JW-06): at most 10 keys in
 * 64 kB, RSA of 3072 bits with e=65537, P-256 or Ed25519. Only the members that make up the key are
 * kept; nothing in it is ever followed (JW-02).
 */
export function checkJwks(input: unknown): CheckedJwks {
  if (Buffer.byteLength(JSON.stringify(input) ?? '') > MAX_BYTES)
    return { refused: 'is larger than 64 kB' }
  const keys = isRecord(input) ? input['keys'] : undefined
  if (!Array.isArray(keys) || keys.length === 0)
    return { refused: 'must be an object with the member "keys"' }
  if (keys.length > MAX_KEYS) return { refused: `has more than ${MAX_KEYS} keys` }
  for (const [index, key] of keys.entries()) {
    const reason = isRecord(key) ? checkKey(key) : 'is not an object'
    if (reason) return { refused: `key ${index + 1} ${reason}` }
  }
  const kept = (keys as Record<string, string>[]).map((key) =>
    Object.fromEntries(Object.entries(key).filter(([name]) => KEPT.includes(name))),
  )
  const kids = kept.map((key) => key['kid'])
  if (kept.length > 1 && new Set(kids.filter(Boolean)).size < kept.length)
    return { refused: 'must give each key a "kid" of its own' }
  return { jwks: { keys: kept } }
}

function checkKey(key: Readonly<Record<string, unknown>>): string | undefined {
  const secret = PRIVATE.find((name) => name in key)
  if (secret) return `is not public: it has the member "${secret}"`
  if (KEPT.some((name) => key[name] !== undefined && typeof key[name] !== 'string'))
    return 'has a member that is not text'
  if (key['use'] !== undefined && key['use'] !== 'sig') return 'is not for signatures'
  const algs = ALGS[String(key['kty'] === 'RSA' ? 'RSA' : key['crv'])]
  if (!algs) return 'is none of RSA, P-256 and Ed25519'
  const { alg } = key
  if (alg !== undefined && !(typeof alg === 'string' && algs.includes(alg)))
    return `has an "alg" other than ${algs.join(' and ')}`
  return checkStrength(key)
}

function checkStrength(key: Readonly<Record<string, unknown>>): string | undefined {
  let parsed: KeyObject
  try {
    parsed = createPublicKey({ key, format: 'jwk' })
  } catch {
    return 'is not a valid key'
  }
  const { modulusLength, publicExponent } = parsed.asymmetricKeyDetails ?? {}
  if (parsed.asymmetricKeyType !== 'rsa') return undefined
  if ((modulusLength ?? 0) < MIN_RSA_BITS) return `is RSA of fewer than ${MIN_RSA_BITS} bits`
  return publicExponent === 65_537n ? undefined : 'is RSA with an exponent other than 65537'
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
