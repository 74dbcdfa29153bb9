import { z } from 'zod'
import type { Purpose } from '../../../accounts/factors/passkeys/options.ts'
import { MAX_PASSKEY_NAME } from '../../../accounts/factors/passkeys/passkey-name.ts'
import { NAME_PATTERN } from '../../../accounts/person-name.ts'
import { LIFETIMES } from '../../../config/limits.ts'
import { randomToken } from '../../../crypto/token.ts'
import { AppError } from '../../../errors.ts'
import { family, operation } from '../operation.ts'
import type { Person } from '../principal.ts'
import { PASSWORD, RECOVERY_CODES } from './examples.ts'
import { confirmation, named, token } from './fields.ts'
import { recovered } from './guards.ts'
import { CREATION, PASSKEY, REGISTRATION, TOKENS_OF_PASSKEYS } from './passkey-examples.ts'
import { Passkey, presentPasskey } from './passkey-shape.ts'
import { CreationOptions, foreignOrigins, RegistrationCredential } from './passkey-shapes.ts'

const name = z.string().max(240).meta({
  maxLength: MAX_PASSKEY_NAME,
  pattern: NAME_PATTERN,
  description: 'One line, counted in code points after NFC.',
})
const FRESH = ['reauthentication_required', 'invalid_credentials'] as const
const TOKEN_BITS = 128

export const PASSKEYS = family('Passkeys', {
  listPasskeys: operation({
    route: 'GET /passkeys',
    guard: recovered,
    limit: 'account',
    summary: 'My passkeys',
    answer: named('Passkeys', { passkeys: z.array(Passkey) }),
    example: { answer: { passkeys: [PASSKEY] } },
    handle: async (_input, { caller }, { passkeys }) => ({
      passkeys: (await passkeys.list(caller.accountId)).map(presentPasskey),
    }),
  }),

  newPasskeyOptions: operation({
    route: 'POST /passkeys/options',
    guard: recovered,
    limit: 'sensitive',
    summary: 'Begin to add a passkey',
    description:
      'With `security_key` it is one for the second step only: any key will do, also one without a PIN.',
    refusals: [...FRESH, 'conflict', 'method_not_offered'],
    body: named('PasskeyCreationBody', {
      password: confirmation,
      security_key: z.boolean().optional(),
    }),
    isBodyOptional: true,
    answer: CreationOptions,
    example: { body: { password: PASSWORD }, answer: CREATION },
    async handle(input, { caller }, deps) {
      const purpose = input.security_key ? 'second' : 'passkey'
      if (!deps.signInPolicy.offers('passkey', {}, purpose === 'second' ? 'second' : 'first'))
        throw new AppError('method_not_offered')
      await deps.stepUp.require(caller, input.password)
      const session = await deps.sessions.find(caller.sessionId)
      if (!session) throw new AppError('invalid_token')
      const token = `${purpose}.${randomToken(TOKEN_BITS)}`
      const binding = bindingOf(caller, token)
      const publicKey = await deps.passkeys.creationOptions(session.account, binding, purpose)
      return { token, expires_in: LIFETIMES.challenge, publicKey }
    },
  }),

  addPasskey: operation({
    route: 'POST /passkeys',
    guard: recovered,
    limit: 'sensitive',
    summary: 'Add a passkey',
    description:
      'Only in the session that began. The owner is told by mail, and nobody is signed out. An account without recovery codes gets some, shown this once.',
    refusals: [
      'reauthentication_required',
      'passkey_refused',
      'challenge_expired',
      'passkey_exists',
      'conflict',
    ],
    body: named('AddPasskeyBody', {
      token,
      credential: RegistrationCredential,
      name: name.optional(),
    }),
    answer: named('AddedPasskey', { passkey: Passkey, recovery_codes: z.array(z.string()) }),
    example: {
      body: { token: TOKENS_OF_PASSKEYS.creation, credential: REGISTRATION, name: 'My phone' },
      answer: { passkey: PASSKEY, recovery_codes: RECOVERY_CODES },
    },
    async handle({ token, credential, name }, { caller, origin }, deps) {
      await deps.stepUp.requireStill(caller)
      const { accountId, sessionId } = caller
      const purpose: Purpose = token.startsWith('second.') ? 'second' : 'passkey'
      const made = { accountId, sessionId, credential, purpose, name }
      const registered = await deps.passkeys.register(
        { ...made, binding: bindingOf(caller, token), origins: await foreignOrigins(deps) },
        origin,
      )
      return {
        passkey: presentPasskey(registered.passkey),
        recovery_codes: [...registered.recoveryCodes],
      }
    },
  }),

  renamePasskey: operation({
    route: 'PATCH /passkeys/{id}',
    guard: recovered,
    limit: 'sensitive',
    summary: 'Rename a passkey',
    description: 'An empty name takes its name away.',
    refusals: ['reauthentication_required', 'not_found'],
    body: named('RenamePasskeyBody', { name }),
    answer: named('PasskeyAnswer', { passkey: Passkey }),
    example: { body: { name: 'My phone' }, answer: { passkey: PASSKEY } },
    async handle(input, { caller, origin, param }, { passkeys, stepUp }) {
      await stepUp.require(caller)
      const { accountId, sessionId } = caller
      const change = { origin, sessionId }
      return {
        passkey: presentPasskey(await passkeys.rename(accountId, param('id'), input.name, change)),
      }
    },
  }),

  removePasskey: operation({
    route: 'DELETE /passkeys/{id}',
    guard: recovered,
    limit: 'sensitive',
    summary: 'Remove a passkey',
    description:
      'The owner is told by mail. The last way to sign in stays, and for a week so does a passkey that a recovery took the place of (`conflict`).',
    refusals: ['reauthentication_required', 'not_found', 'conflict', 'last_way_in'],
    async handle(_input, { caller, origin, param }, { passkeys, stepUp }) {
      await stepUp.require(caller)
      const { accountId, sessionId } = caller
      await passkeys.remove(accountId, param('id'), { origin, sessionId })
    },
  }),
})

/** The session that begins is the one that adds; the token says what the passkey is for. */
function bindingOf({ sessionId }: Person, token: string): string {
  return `account:${sessionId}:${token}`
}
