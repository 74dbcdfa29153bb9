import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Reason, ReasonCode } from './reasons.ts'

export type JsonWebKeySet = { readonly keys: readonly Readonly<Record<string, string>>[] }
export type CheckedJwks = { readonly jwks: JsonWebKeySet } | { readonly refused: Reason }

/** Which key it is of is added by who counts them. */
type KeyReason = Reason & { readonly code: Extract<ReasonCode, `key_${string}`> }

const MAX_BYTES = 65_536
const MAX_KEYS = 10
const MIN_RSA_BITS = 2048
const ALGS: Readonly<Record<string, readonly string[]>> = {
  RSA: ['RS256', 'PS256'],
  'P-256': ['ES256'],
  Ed25519: ['EdDSA', 'Ed25519'],
}
/** Keys for encryption stand beside those for signatures in what many apps publish. */
const ENCRYPTION_ALG = /^(?:RSA-OAEP|RSA1_5|ECDH-ES)/
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
const KEPT = ['kty', 'kid', 'use', 'alg', 'n', 'e', 'crv', 'x', 'y']

/**
 * The public keys of a client that authenticates by `private_key_jwt` (JW-06): at most 10 keys in
 * 64 kB, RSA of 2048 bits or more with e=65537, P-256 or Ed25519. Keys for encryption are left out.
 * Only the members that make up the key are kept; nothing in it is ever followed (JW-02).
 */
export function checkJwks(input: unknown): CheckedJwks {
  if (Buffer.byteLength(JSON.stringify(input) ?? '') > MAX_BYTES)
    return { refused: { code: 'jwks_too_large', values: { kilobytes: MAX_BYTES / 1024 } } }
  const keys = isRecord(input) ? input['keys'] : undefined
  if (!Array.isArray(keys) || keys.length === 0) return { refused: { code: 'jwks_shape' } }
  if (keys.length > MAX_KEYS)
    return { refused: { code: 'jwks_too_many', values: { max: MAX_KEYS } } }
  for (const [index, key] of keys.entries()) {
    const reason: KeyReason | undefined = isRecord(key) ? checkKey(key) : { code: 'key_shape' }
    if (reason) return { refused: { ...reason, values: { ...reason.values, key: index + 1 } } }
  }
  const kept = (keys as Record<string, string>[])
    .filter((key) => !isForEncryption(key))
    .map((key) => Object.fromEntries(Object.entries(key).filter(([name]) => KEPT.includes(name))))
  if (kept.length === 0) return { refused: { code: 'jwks_no_signatures' } }
  const kids = kept.map((key) => key['kid'])
  if (kept.length > 1 && new Set(kids.filter(Boolean)).size < kept.length)
    return { refused: { code: 'jwks_kids' } }
  return { jwks: { keys: kept } }
}

function checkKey(key: Readonly<Record<string, unknown>>): KeyReason | undefined {
  const secret = PRIVATE.find((name) => name in key)
  if (secret) return { code: 'key_private', values: { member: secret } }
  if (KEPT.some((name) => key[name] !== undefined && typeof key[name] !== 'string'))
    return { code: 'key_not_text' }
  if (isForEncryption(key)) return undefined
  if (key['use'] !== undefined && key['use'] !== 'sig') return { code: 'key_use' }
  const algs = ALGS[String(key['kty'] === 'RSA' ? 'RSA' : key['crv'])]
  if (!algs) return { code: 'key_type' }
  const { alg } = key
  if (alg !== undefined && !(typeof alg === 'string' && algs.includes(alg)))
    return { code: 'key_alg', values: { algs: algs.join(' and ') } }
  return checkStrength(key)
}

function isForEncryption({ use, alg }: Readonly<Record<string, unknown>>): boolean {
  return use === 'enc' || (use === undefined && ENCRYPTION_ALG.test(String(alg)))
}

function checkStrength(key: Readonly<Record<string, unknown>>): KeyReason | undefined {
  let parsed: KeyObject
  try {
    parsed = createPublicKey({ key, format: 'jwk' })
  } catch {
    return { code: 'key_invalid' }
  }
  const { modulusLength, publicExponent } = parsed.asymmetricKeyDetails ?? {}
  if (parsed.asymmetricKeyType !== 'rsa') return undefined
  if ((modulusLength ?? 0) < MIN_RSA_BITS)
    return { code: 'key_bits', values: { bits: MIN_RSA_BITS } }
  return publicExponent === 65_537n ? undefined : { code: 'key_exponent' }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
