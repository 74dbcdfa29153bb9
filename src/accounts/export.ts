import type { Activity } from '../audit/activity.ts'
import type { Actor, AuditSink } from '../audit/event.ts'
import type { EntityManager } from '../database/database.ts'
import {
  type Acceptance,
  Account,
  type AuditEvent,
  type Consent,
  type Identity,
  type Session,
} from '../entities/index.ts'
import type { Consents } from './consents.ts'
import type { PasskeyView } from './factors/passkeys/passkey-view.ts'
import type { Passkeys } from './factors/passkeys/passkeys.ts'
import type { Membership, Memberships } from './groups/memberships.ts'
import type { Identities } from './identities/identities.ts'
import type { Profile } from './profile.ts'
import type { Acceptances } from './registration/acceptances.ts'
import type { Sessions } from './sessions/sessions.ts'
import type { TrustedDevice, TrustedDevices } from './trusted-devices.ts'

/** More events than any person reads, and few enough for one answer. */
const MAX_EVENTS = 10_000

export interface AccountExportDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly profile: Pick<Profile, 'attributesOf'>
  readonly sessions: Sessions
  readonly consents: Consents
  readonly memberships: Memberships
  readonly identities: Pick<Identities, 'list'>
  readonly passkeys: Pick<Passkeys, 'list'>
  readonly acceptances: Pick<Acceptances, 'list'>
  readonly trustedDevices: Pick<TrustedDevices, 'list'>
  readonly activity: Activity
}

export interface ExportedAccount {
  readonly account: Account
  readonly attributes: Readonly<Record<string, string>>
  readonly sessions: readonly Session[]
  readonly consents: readonly Consent[]
  readonly groups: readonly Membership[]
  readonly identities: readonly Identity[]
  readonly passkeys: readonly PasskeyView[]
  readonly acceptances: readonly Acceptance[]
  readonly trustedDevices: readonly TrustedDevice[]
  readonly activity: readonly AuditEvent[]
}

/** Everything kept about a person that is theirs to have (LG-08); hashes and secrets are not loaded. */
export class AccountExport {
  readonly #deps: AccountExportDeps

  constructor(deps: AccountExportDeps) {
    this.#deps = deps
  }

  /** `actor`: default the person. */
  async collect(accountId: string, actor?: Actor): Promise<ExportedAccount> {
    const { em, profile, sessions, consents, memberships, identities, passkeys } = this.#deps
    const { acceptances, trustedDevices, activity, audit } = this.#deps
    const account = await em.fork().findOneOrFail(Account, { id: accountId })
    audit.record({ type: 'data_exported', accountId, actor })
    return {
      account,
      attributes: await profile.attributesOf(accountId),
      sessions: await sessions.list(accountId),
      consents: await consents.list(accountId),
      groups: await memberships.listOf(accountId),
      identities: await identities.list(accountId),
      passkeys: await passkeys.list(accountId),
      acceptances: await acceptances.list(accountId),
      trustedDevices: await trustedDevices.list(account),
      activity: await activity.listForAccount(accountId, { limit: MAX_EVENTS }),
    }
  }
}
