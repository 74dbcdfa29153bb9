import type { Ceremony } from '../../../crypto/challenge.ts'
import { AppError } from '../../../errors.ts'
import { ALGORITHMS, algorithmOf } from './cose-key.ts'
import {
  type AssertionJson,
  bytesOf,
  type ClientData,
  type RegistrationJson,
} from './credential.ts'

/** Who a credential is for, and from where one may come. */
export interface Expected {
  readonly ceremony: Ceremony
  readonly rpId: string
  readonly origins: readonly string[]
  readonly clientData: ClientData
  readonly requiresVerification: boolean
}

/** Why a credential is refused, in a word for the audit trail. */
export type Fault = 'other_ceremony' | 'foreign_origin' | 'not_verified' | 'not_valid'

/** What the authenticator says of itself, signed or as it made the credential. */
export interface Authenticator {
  readonly counter: number
  readonly isBackupEligible: boolean
  readonly isBackedUp: boolean
  readonly hasVerified: boolean
}

export interface NewCredential extends Authenticator {
  readonly credentialId: Buffer
  readonly publicKey: Buffer
  readonly alg: number
  readonly aaguid: string | undefined
  /** Of the attestation, which nothing follows from. */
  readonly format: string
}

type Judged<T> = (T & { readonly fault?: undefined }) | { readonly fault: Fault }

const NO_MODEL = '00000000-0000-0000-0000-000000000000'
/** Of the registry of attestation statements (WebAuthn 8). */
const FORMATS = /^(?:none|packed|tpm|android-key|android-safetynet|fido-u2f|apple)$/

/**
 * The library is read when the first credential comes: it takes a third of a second and 27 MB,
 * which a server that nobody uses passkeys on does not pay.
 */
async function library() {
  try {
    return {
      ...(await import('@simplewebauthn/server')),
      ...(await import('@simplewebauthn/server/helpers')),
    }
  } catch (cause) {
    throw new AppError('unavailable', { cause })
  }
}

/** Judges the signature of a stored key over a challenge (WebAuthn 7.2). The counter is the caller's. */
export async function judgeAssertion(
  { id, rawId, type, response }: AssertionJson,
  publicKey: Uint8Array,
  expected: Expected,
): Promise<Judged<Authenticator>> {
  const { verifyAuthenticationResponse, isoCBOR } = await library()
  return judged(expected, async () => {
    if (
      !isWhole(
        bytesOf(response.signature),
        algorithmOf(isoCBOR.decodeFirst(Uint8Array.from(publicKey))),
      )
    )
      return undefined
    const { clientDataJSON, authenticatorData, signature } = response
    const signed = { clientDataJSON, authenticatorData, signature }
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { id, rawId, type, response: signed, clientExtensionResults: {} },
      ...expectationsOf(expected),
      // One that went back is no reason not to look at the signature: what follows from it is more.
      credential: { id, publicKey: Uint8Array.from(publicKey), counter: 0 },
    })
    const { newCounter } = authenticationInfo
    return verified ? { counter: newCounter, ...flagsOf(authenticationInfo) } : undefined
  })
}

/**
 * Judges a new credential (WebAuthn 7.1). What an attestation claims was not asked for and is not
 * looked at.
 */
export async function judgeRegistration(
  { id, rawId, type, response }: RegistrationJson,
  expected: Expected,
): Promise<Judged<NewCredential>> {
  const { verifyRegistrationResponse, ...helpers } = await library()
  return judged(expected, async () => {
    const { clientDataJSON } = response
    const sent = helpers.decodeAttestationObject(
      Uint8Array.from(bytesOf(response.attestationObject)),
    )
    const unattested = new Map<string, string | Uint8Array | Map<string, string>>([
      ['fmt', 'none'],
      ['attStmt', new Map()],
      ['authData', sent.get('authData')],
    ])
    const attestationObject = encoded(helpers.isoCBOR.encode(unattested))
    const { verified, registrationInfo: made } = await verifyRegistrationResponse({
      response: {
        id,
        rawId,
        type,
        response: { clientDataJSON, attestationObject },
        clientExtensionResults: {},
      },
      ...expectationsOf(expected),
      supportedAlgorithmIDs: [...ALGORITHMS],
    })
    if (!verified || made.credential.id !== id) return undefined
    const { publicKey, counter } = made.credential
    // The library reads lengths past the end, and gives the key as it should have been written.
    if (!Buffer.from(sent.get('authData')).includes(Buffer.from(publicKey))) return undefined
    const alg = algorithmOf(helpers.isoCBOR.decodeFirst(publicKey))
    const format: string = sent.get('fmt')
    return (
      alg && {
        credentialId: bytesOf(id),
        publicKey: Buffer.from(publicKey),
        alg,
        counter,
        ...flagsOf(made),
        aaguid: made.aaguid === NO_MODEL ? undefined : made.aaguid,
        format: FORMATS.test(format) ? format : 'other',
      }
    )
  })
}

/** The library takes a signature of ES256 whose outer length is not its own. */
function isWhole(signature: Buffer, alg: number | undefined): boolean {
  return alg !== -7 || signature[1] === signature.length - 2
}

/** Whatever the library throws is thrown at what somebody sent: a refusal. */
async function judged<T extends Authenticator>(
  { clientData, ceremony, origins, requiresVerification }: Expected,
  judge: () => Promise<T | 0 | undefined>,
): Promise<Judged<T>> {
  const { type, origin, isCrossOrigin } = clientData
  if (type !== ceremony) return { fault: 'other_ceremony' }
  if (isCrossOrigin || typeof origin !== 'string' || !origins.includes(origin))
    return { fault: 'foreign_origin' }
  const found = await judge().catch(() => undefined)
  if (!found) return { fault: 'not_valid' }
  return requiresVerification && !found.hasVerified ? { fault: 'not_verified' } : found
}

function expectationsOf({ clientData, origins, rpId }: Expected) {
  return {
    expectedChallenge: clientData.challenge,
    expectedOrigin: [...origins],
    expectedRPID: rpId,
    // Asked of the answer, once it is known to be one.
    requireUserVerification: false,
  }
}

interface Flags {
  readonly userVerified: boolean
  readonly credentialDeviceType: 'singleDevice' | 'multiDevice'
  readonly credentialBackedUp: boolean
}

function flagsOf({ userVerified, credentialDeviceType, credentialBackedUp }: Flags) {
  return {
    hasVerified: userVerified,
    isBackupEligible: credentialDeviceType === 'multiDevice',
    isBackedUp: credentialBackedUp,
  }
}

function encoded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
