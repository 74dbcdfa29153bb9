import { z } from 'zod'
import type { PasskeyView } from '../../../accounts/factors/passkeys/passkey-view.ts'
import { Assertion, Registration } from '../../passkey-credential.ts'
import type { AuthApiDeps } from './deps.ts'
import { named, SCHEMAS } from './fields.ts'
import { seconds, time } from './shapes.ts'

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

export const Passkey = named('Passkey', {
  id: z.uuid(),
  name: z.string().nullable().describe('The one that the person gave.'),
  product: z.string().nullable().describe('What keeps it, where its model is known.'),
  kind: z
    .enum(['passkey', 'security-key'])
    .describe('A security key is good for a second step only.'),
  synced: z.boolean(),
  suspended: z.boolean().describe('It is not accepted at present.'),
  created_at: time,
  last_used_at: time.nullable(),
})

export function presentPasskey(passkey: PasskeyView): z.output<typeof Passkey> {
  return {
    id: passkey.id,
    name: passkey.name ?? null,
    product: passkey.product ?? null,
    kind: passkey.isSecurityKey ? 'security-key' : 'passkey',
    synced: passkey.isSynced,
    suspended: passkey.suspendedFor !== null,
    created_at: passkey.createdAt.toISOString(),
    last_used_at: passkey.lastUsedAt?.toISOString() ?? null,
  }
}

/** Where passkeys may come from at this door, besides our own pages. */
export function foreignOrigins({ directory }: AuthApiDeps): Promise<readonly string[]> {
  return directory.nativeApps.origins()
}
