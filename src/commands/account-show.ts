import { Command } from 'commander'
import type { AccountAdministration } from '../accounts/account-administration.ts'
import { takesTwoFactors } from '../accounts/factors/levels.ts'
import type { PasskeyView } from '../accounts/factors/passkeys/passkey-view.ts'
import type { Passkeys } from '../accounts/factors/passkeys/passkeys.ts'
import type { Identities } from '../accounts/identities/identities.ts'
import type { Profile } from '../accounts/profile.ts'
import type { Sessions } from '../accounts/sessions/sessions.ts'
import type { Account, Identity } from '../entities/index.ts'
import { answering } from './answer.ts'

export interface ShowCommandDeps {
  readonly administration: Pick<AccountAdministration, 'find'>
  readonly profile: Pick<Profile, 'attributesOf'>
  readonly sessions: Sessions
  readonly identities: Pick<Identities, 'list'>
  readonly passkeys: Pick<Passkeys, 'list'>
}

/** `gatehouse account show`. `run` opens the use cases for one command. */
export function showCommand(
  run: <T>(work: (deps: ShowCommandDeps) => Promise<T>) => Promise<T>,
): Command {
  return new Command('show')
    .argument('<email-or-id>')
    .description('what an operator needs to know of it, one fact a line')
    .action(
      answering((name: string) =>
        run(async ({ administration, profile, sessions, identities, passkeys }) => {
          const account = await administration.find(name)
          const open = (await sessions.list(account.id)).length
          const claims = claimsOf(account, await profile.attributesOf(account.id))
          const linked = await identities.list(account.id)
          const keys = await passkeys.list(account.id)
          return {
            lines: Object.entries(factsOf(account, open, { linked, keys, claims })).map(
              ([fact, value]) => `${fact}\t${value}`,
            ),
            json: documentOf(account, open, { linked, keys, claims }),
          }
        }),
      ),
    )
}

interface Facts {
  readonly linked: readonly Identity[]
  readonly keys: readonly PasskeyView[]
  readonly claims: Claims
}

/** Whom the person is at a provider, in a word. */
function named({ provider, subject, suspendedAt }: Identity): string {
  return `${provider.id}:${subject}${suspendedAt ? ' (suspended)' : ''}`
}

/** One passkey, by what tells it from the others. */
function keyInWords({ name, product, isSecurityKey, suspendedFor, id }: PasskeyView): string {
  const kind = isSecurityKey ? 'security key' : 'passkey'
  const suspended = suspendedFor ? ` (suspended: ${suspendedFor})` : ''
  return `${kind} ${name ?? product ?? id}${suspended}`
}

type Claims = Readonly<Record<string, unknown>>

/** What `account set` fills in, under the same names. */
function claimsOf({ imageUrl, phoneNumber, locale, address }: Account, attributes: Claims): Claims {
  const parts = Object.entries(address ?? {}).map(([part, value]) => [`address.${part}`, value])
  const all = {
    picture: imageUrl,
    phone_number: phoneNumber,
    locale,
    ...attributes,
    ...(Object.fromEntries(parts) as Claims),
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value != null))
}

function factsOf(account: Account, sessions: number, { linked, keys, claims }: Facts) {
  const { id, email, name, username, status, mustResetPassword, deleteAfter, createdAt } = account
  return {
    id,
    email,
    name,
    'user name': username,
    status,
    ...(deleteAfter ? { 'erased after': deleteAfter.toISOString() } : {}),
    'two-step sign-in': takesTwoFactors(account) ? 'on' : 'off',
    'must reset password': mustResetPassword ? 'yes' : 'no',
    sessions,
    ...(keys.length > 0 ? { passkeys: keys.map(keyInWords).join(', ') } : {}),
    ...(linked.length > 0 ? { providers: linked.map(named).join(', ') } : {}),
    created: createdAt.toISOString(),
    ...claims,
  }
}

function documentOf(account: Account, sessions: number, { linked, keys, claims }: Facts) {
  const { id, email, name, username, status, mustResetPassword, deleteAfter, createdAt } = account
  return {
    id,
    email,
    name,
    username,
    status,
    delete_after: deleteAfter,
    mfa_enabled: takesTwoFactors(account),
    must_reset_password: mustResetPassword,
    sessions,
    passkeys: keys.map((key) => ({
      id: key.id,
      name: key.name ?? null,
      product: key.product ?? null,
      kind: key.isSecurityKey ? 'security-key' : 'passkey',
      suspended_for: key.suspendedFor ?? null,
      created_at: key.createdAt,
      last_used_at: key.lastUsedAt ?? null,
    })),
    identities: linked.map(({ provider, issuer, subject, email, linkedAt, suspendedAt }) => ({
      provider: provider.id,
      issuer,
      subject,
      email: email ?? null,
      linked_at: linkedAt,
      suspended: suspendedAt != null,
    })),
    created_at: createdAt,
    claims,
  }
}
