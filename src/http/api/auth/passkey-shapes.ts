import { z } from 'zod'
import { Assertion, Registration } from '../../passkey-credential.ts'
import type { AuthApiDeps } from './deps.ts'
import { named, SCHEMAS } from './fields.ts'
import { seconds } from './shapes.ts'

export const AssertionCredential = Assertion.register(SCHEMAS, { id: 'AssertionCredential' })
export const RegistrationCredential = Registration.register(SCHEMAS, {
  id: 'RegistrationCredential',
})

const Descriptor = z.strictObject({
  type: z.literal('public-key'),
  id: z.string(),
  transports: z.array(z.string()),
})
const demand = z.enum(['required', 'preferred'])
const challenge = z.string().describe('Good once, for this token.')
const timeout = z.int().describe('Milliseconds.')

/** What an app hands to its platform as it is. */
export const RequestOptions = named('PasskeyRequest', {
  token: z.string().describe('Comes back with the credential.'),
  expires_in: seconds,
  publicKey: z
    .strictObject({
      challenge,
      rpId: z.string(),
      userVerification: demand,
      allowCredentials: z.array(Descriptor),
      timeout,
    })
    .describe('For `PublicKeyCredential.parseRequestOptionsFromJSON` (WebAuthn 5.1.10).'),
})

export const CreationOptions = named('PasskeyCreation', {
  token: z.string().describe('Comes back with the credential.'),
  expires_in: seconds,
  publicKey: z
    .strictObject({
      challenge,
      rp: z.strictObject({ id: z.string(), name: z.string() }),
      user: z.strictObject({ id: z.string(), name: z.string(), displayName: z.string() }),
      pubKeyCredParams: z.array(z.strictObject({ type: z.literal('public-key'), alg: z.int() })),
      authenticatorSelection: z.strictObject({
        residentKey: demand,
        requireResidentKey: z.boolean(),
        userVerification: demand,
      }),
      attestation: z.literal('none'),
      excludeCredentials: z.array(Descriptor),
      extensions: z.strictObject({ credProps: z.literal(true) }),
      hints: z.array(z.string()),
      timeout,
    })
    .describe('For `PublicKeyCredential.parseCreationOptionsFromJSON` (WebAuthn 5.1.9).'),
})

/** Where passkeys may come from at this door, besides our own pages. */
export async function foreignOrigins({
  config,
  directory,
}: Pick<AuthApiDeps, 'config' | 'directory'>): Promise<readonly string[]> {
  return [...config.relatedOrigins, ...(await directory.nativeApps.origins())]
}
