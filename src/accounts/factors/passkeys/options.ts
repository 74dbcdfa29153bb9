import type { PasskeyCredential } from '../../../entities/index.ts'
import { ALGORITHMS } from './cose-key.ts'

/** Who asks for passkeys: the issuer, by its host and no wider domain. */
export interface RelyingParty {
  readonly id: string
  /** As browsers show it. */
  readonly name: string
  /** Where a page may ask from. */
  readonly origins: readonly string[]
}

/** The host of the issuer, not its domain: narrower is safer, and related origins may widen it. */
export function relyingPartyOf({
  issuer,
  brand,
}: {
  readonly issuer: string
  readonly brand: { readonly name: string }
}): RelyingParty {
  return { id: new URL(issuer).hostname, name: brand.name, origins: [issuer] }
}

export interface Descriptor {
  readonly type: 'public-key'
  readonly id: string
  readonly transports: string[]
}

export function descriptorOf({ credentialId, transports }: PasskeyCredential): Descriptor {
  return { type: 'public-key', id: Buffer.from(credentialId).toString('base64url'), transports }
}

/** For `PublicKeyCredential.parseRequestOptionsFromJSON` (WebAuthn 5.1.10). */
export interface RequestOptions {
  readonly challenge: string
  readonly rpId: string
  readonly userVerification: 'required' | 'preferred'
  readonly allowCredentials: Descriptor[]
  readonly timeout: number
}

/** A passkey is a way in; a second step takes any key that somebody has. */
export type Purpose = 'passkey' | 'second'

/** For `PublicKeyCredential.parseCreationOptionsFromJSON` (WebAuthn 5.1.9). */
export type CreationOptions = ReturnType<typeof creationOptions>

const TIMEOUT_MS = 300_000

export function requestOptions(
  rp: RelyingParty,
  challenge: string,
  {
    userVerification = 'required',
    allowCredentials = [],
  }: Partial<Pick<RequestOptions, 'userVerification' | 'allowCredentials'>> = {},
): RequestOptions {
  return { challenge, rpId: rp.id, userVerification, allowCredentials, timeout: TIMEOUT_MS }
}

export function creationOptions(
  { id, name }: RelyingParty,
  challenge: string,
  {
    user,
    purpose,
    excludeCredentials,
  }: {
    readonly user: { readonly id: string; readonly name: string; readonly displayName: string }
    readonly purpose: Purpose
    readonly excludeCredentials: Descriptor[]
  },
) {
  const demand = purpose === 'passkey' ? ('required' as const) : ('preferred' as const)
  return {
    challenge,
    rp: { id, name },
    user,
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key' as const, alg })),
    authenticatorSelection: {
      residentKey: demand,
      requireResidentKey: purpose === 'passkey',
      userVerification: demand,
    },
    attestation: 'none' as const,
    excludeCredentials,
    extensions: { credProps: true as const },
    hints: [] as string[],
    timeout: TIMEOUT_MS,
  }
}
