import { randomUUID } from 'node:crypto'
import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { AuditSink } from '../../../audit/event.ts'
import type { RequestOrigin } from '../../../audit/request-origin.ts'
import { CAPS, LIFETIMES } from '../../../config/limits.ts'
import type { StatelessChallenges } from '../../../crypto/challenge.ts'
import type { EntityManager, Pool } from '../../../database/database.ts'
import { spendChallenge } from '../../../database/spent-challenges.ts'
import { type Account, PasskeyCredential } from '../../../entities/index.ts'
import { AppError } from '../../../errors.ts'
import { lockedAccount } from '../../locked-account.ts'
import type { SecurityEvents } from '../../security-events.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import { ensureStillOpens } from '../../shown-sign-in.ts'
import { PASSKEY } from '../methods/passkey.ts'
import { SECURITY_KEY } from '../methods/security-key.ts'
import type { RecoveryCodes } from '../recovery-codes.ts'
import { recount } from '../ways.ts'
import { answeredChallenge } from './answered.ts'
import { isDiscoverable, userHandleOf } from './credential.ts'
import type { NewPasskey, Prepared, Registered } from './new-passkey.ts'
import {
  type CreationOptions,
  creationOptions,
  descriptorOf,
  type Purpose,
  type RelyingParty,
} from './options.ts'
import { passkeyName } from './passkey-name.ts'
import { viewOf } from './passkey-view.ts'
import { judgeRegistration, type NewCredential } from './webauthn.ts'

export interface EnrolmentDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly pool: Pool
  readonly challenges: StatelessChallenges
  readonly events: SecurityEvents
  readonly recoveryCodes: RecoveryCodes
  readonly sessions: Sessions
  readonly rp: RelyingParty
}

const MAX_TRANSPORTS = 8
const MAX_TRANSPORT = 32

/** How an account gets a passkey. */
export class Enrolment {
  readonly #deps: EnrolmentDeps

  constructor(deps: EnrolmentDeps) {
    this.#deps = deps
  }

  /**
   * `replacesAll`: those that there are give way to it. Throws `conflict` for an account that has as
   * many as it may.
   */
  async options(
    { id, email, name }: Pick<Account, 'id' | 'email' | 'name'>,
    binding: string,
    purpose: Purpose,
    replacesAll: boolean,
  ): Promise<CreationOptions> {
    const { em, challenges, rp } = this.#deps
    const passkeys = await em.fork().find(PasskeyCredential, { account: id })
    if (!replacesAll) ensureRoom(passkeys)
    return creationOptions(rp, challenges.make('webauthn.create', binding, LIFETIMES.challenge), {
      user: { id: userHandleOf(id), name: email, displayName: name },
      purpose,
      excludeCredentials: passkeys.map(descriptorOf),
    })
  }

  /**
   * Stores a new passkey, and tells the owner. Everybody else stays signed in. Throws
   * `challenge_expired`, `passkey_refused`, `passkey_exists` for a credential that anybody has here,
   * `conflict` for an account that has as many as it may, and `invalid_credentials` where the sign-in
   * that it is made in does not open the account any more.
   */
  async register(made: NewPasskey, origin: RequestOrigin): Promise<Registered> {
    const { em, events, audit } = this.#deps
    const { accountId, sessionId, shown } = made
    const { format, store } = await this.prepare(made, origin)
    return em.fork().transactional(async (tx): Promise<Registered> => {
      const account = await lockedAccount(tx, accountId)
      if (shown) ensureStillOpens(account, shown)
      const { passkey, method } = await store(tx, account)
      const recoveryCodes = await this.#fallBack(tx, accountId)
      await recount(tx, accountId)
      if (sessionId) await this.#deps.sessions.raise(tx, accountId, sessionId, method)
      await events.notify(tx, account, 'passkey_added', origin)
      const detail = { passkey: passkey.id, method: method.id, attestation: format }
      await audit.append(tx, { type: 'passkey_added', accountId, sessionId, origin, detail })
      return { passkey, method, recoveryCodes }
    })
  }

  /** Judges it and spends its challenge; `store` is for a transaction that has locked the account. */
  async prepare(made: NewPasskey, origin: RequestOrigin): Promise<Prepared> {
    const name = passkeyName(made.name)
    const judged = await this.#judge(made, origin)
    return {
      format: judged.format,
      store: async (tx, account) => {
        const passkey = viewOf(await this.#insert(tx, account, made, judged, name))
        return { passkey, method: passkey.isSecurityKey ? SECURITY_KEY : PASSKEY }
      },
    }
  }

  async #judge(
    { accountId, credential, binding, purpose, origins = [], sessionId }: NewPasskey,
    origin: RequestOrigin,
  ): Promise<NewCredential> {
    const { challenges, pool, audit, rp } = this.#deps
    const { clientDataJSON } = credential.response
    const answered = answeredChallenge(challenges, clientDataJSON, 'webauthn.create', binding)
    if (!(await spendChallenge(pool, answered.spending))) throw new AppError('challenge_expired')
    const judged = await judgeRegistration(credential, {
      ceremony: 'webauthn.create',
      rpId: rp.id,
      origins: [...rp.origins, ...origins],
      clientData: answered.clientData,
      requiresVerification: purpose === 'passkey',
    })
    if (!judged.fault) return judged
    const failed = {
      type: 'passkey_added',
      outcome: 'failure',
      accountId,
      sessionId,
      origin,
    } as const
    audit.record({ ...failed, detail: { reason: judged.fault } })
    throw new AppError('passkey_refused')
  }

  async #insert(
    tx: EntityManager,
    account: Account,
    { credential }: NewPasskey,
    judged: NewCredential,
    name: string | null,
  ): Promise<PasskeyCredential> {
    ensureRoom(await tx.find(PasskeyCredential, { account: account.id }))
    const transports = credential.response.transports ?? []
    const passkey = tx.create(PasskeyCredential, {
      id: randomUUID(),
      account,
      credentialId: judged.credentialId,
      publicKey: judged.publicKey,
      alg: judged.alg,
      rpId: this.#deps.rp.id,
      signCount: judged.counter,
      isBackupEligible: judged.isBackupEligible,
      isBackedUp: judged.isBackedUp,
      hasVerified: judged.hasVerified,
      isDiscoverable: isDiscoverable(credential) ?? null,
      aaguid: judged.aaguid ?? null,
      transports: transports
        .filter((each) => each.length <= MAX_TRANSPORT)
        .slice(0, MAX_TRANSPORTS),
      name,
    })
    try {
      await tx.persist(passkey).flush()
    } catch (cause) {
      if (cause instanceof UniqueConstraintViolationException)
        throw new AppError('passkey_exists', { cause })
      throw cause
    }
    return passkey
  }

  /** Codes for the day when the device is lost, unless the account has some. */
  async #fallBack(tx: EntityManager, accountId: string): Promise<readonly string[]> {
    const { recoveryCodes } = this.#deps
    if (await recoveryCodes.has(tx, accountId)) return []
    return recoveryCodes.replace(tx, accountId)
  }
}

/**
 * Suspended ones let nobody in: they leave room for what takes their place (decision 0076), up to as
 * many again.
 */
function ensureRoom(all: readonly PasskeyCredential[]): void {
  const live = all.filter(({ suspendedAt }) => !suspendedAt)
  const { passkeysPerAccount: most } = CAPS
  if (live.length >= most || all.length >= 2 * most) throw new AppError('conflict')
}
