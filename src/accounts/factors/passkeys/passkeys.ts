import type { QueryOrderMap } from '@mikro-orm/core'
import type { AuditRecord } from '../../../audit/event.ts'
import type { RequestOrigin } from '../../../audit/request-origin.ts'
import { LIFETIMES } from '../../../config/limits.ts'
import type { EntityManager } from '../../../database/database.ts'
import { type Account, PasskeyCredential } from '../../../entities/index.ts'
import { AppError } from '../../../errors.ts'
import { lockedAccount } from '../../locked-account.ts'
import { UUID } from '../../uuid.ts'
import type { SignInPolicy } from '../sign-in-policy.ts'
import { ensureWayStays, recount } from '../ways.ts'
import {
  Assertions,
  type AssertionsDeps,
  type Presented,
  type ProvenByPasskey,
} from './assertions.ts'
import { Enrolment, type EnrolmentDeps } from './enrolment.ts'
import type { NewPasskey, Prepared, Registered } from './new-passkey.ts'
import {
  type CreationOptions,
  descriptorOf,
  type Purpose,
  type RequestOptions,
  requestOptions,
} from './options.ts'
import { passkeyName } from './passkey-name.ts'
import { type PasskeyView, suspensionOf, viewOf } from './passkey-view.ts'
import { signalsOf } from './signals.ts'
import { answersSecondStep } from './suspended.ts'

export interface PasskeysDeps extends AssertionsDeps, EnrolmentDeps {
  readonly policy: SignInPolicy
}

/** Who changes a passkey: its owner, or somebody at the command line. */
type Change = Pick<AuditRecord, 'origin' | 'actor' | 'sessionId'>

/** Passkeys of accounts (WebAuthn Level 3): made, shown, listed, renamed and removed. */
export class Passkeys {
  readonly #deps: PasskeysDeps
  readonly #assertions: Assertions
  readonly #enrolment: Enrolment

  constructor(deps: PasskeysDeps) {
    this.#deps = deps
    this.#assertions = new Assertions(deps)
    this.#enrolment = new Enrolment(deps)
  }

  /**
   * To sign in with any passkey that the browser has for us. They say nothing of accounts, and
   * nothing is stored: a page may have them before anybody said who they are.
   */
  signInOptions(binding: string, lifetimeSeconds: number = LIFETIMES.challenge): RequestOptions {
    const { challenges, rp } = this.#deps
    return requestOptions(rp, challenges.make('webauthn.get', binding, lifetimeSeconds))
  }

  /** To show one of the account's own, as a second step or once more; undefined if it has none. */
  async assertionOptions(accountId: string, binding: string): Promise<RequestOptions | undefined> {
    const { em, challenges, rp } = this.#deps
    const passkeys = await em
      .fork()
      .find(PasskeyCredential, { account: accountId }, NEWEST_USE_FIRST)
    const usable = passkeys.filter((each) => answersSecondStep(suspensionOf(each)))
    if (usable.length === 0) return undefined
    return requestOptions(rp, challenges.make('webauthn.get', binding, LIFETIMES.challenge), {
      userVerification: 'preferred',
      allowCredentials: usable.map(descriptorOf),
    })
  }

  /** See `Enrolment.options`. */
  creationOptions(
    account: Pick<Account, 'id' | 'email' | 'name'>,
    binding: string,
    purpose: Purpose = 'passkey',
    replacesAll = false,
  ): Promise<CreationOptions> {
    return this.#enrolment.options(account, binding, purpose, replacesAll)
  }

  /** See `Enrolment.register`. */
  register(made: NewPasskey, origin: RequestOrigin): Promise<Registered> {
    return this.#enrolment.register(made, origin)
  }

  /** See `Enrolment.prepare`. */
  prepare(made: NewPasskey, origin: RequestOrigin): Promise<Prepared> {
    return this.#enrolment.prepare(made, origin)
  }

  /** See `Assertions.proveFirst`. */
  proveFirst(presented: Presented, origin: RequestOrigin): Promise<ProvenByPasskey> {
    return this.#assertions.proveFirst(presented, origin)
  }

  /** See `Assertions.proveSecond`. */
  proveSecond(
    presented: Presented & { readonly accountId: string },
    origin: RequestOrigin,
    effect: (tx: EntityManager) => Promise<void> = async () => undefined,
  ): Promise<ProvenByPasskey> {
    return this.#assertions.proveSecond(presented, origin, effect)
  }

  /** The one used last comes first. */
  async list(accountId: string): Promise<PasskeyView[]> {
    const passkeys = await this.#deps.em
      .fork()
      .find(PasskeyCredential, { account: accountId }, NEWEST_USE_FIRST)
    return passkeys.map(viewOf)
  }

  /** What may be told to the browser, for what keeps the account's passkeys. */
  signals(account: Pick<Account, 'id' | 'email' | 'name'>, all: readonly PasskeyView[]) {
    return signalsOf(this.#deps.rp, account, all)
  }

  /** Throws `invalid_input` for a name that cannot be shown, and `not_found`. */
  async rename(
    accountId: string,
    id: string,
    submitted: string,
    change: Change,
  ): Promise<PasskeyView> {
    const name = passkeyName(submitted)
    return this.#deps.em.fork().transactional(async (tx) => {
      const passkey = await ownPasskey(tx, accountId, id)
      passkey.name = name
      await this.#tell(tx, { ...change, type: 'passkey_renamed', accountId }, id)
      return viewOf(passkey)
    })
  }

  /** Its owner says that one which waits is theirs. Throws `not_found`. */
  async confirm(accountId: string, id: string, change: Change): Promise<void> {
    await this.#deps.em.fork().transactional(async (tx) => {
      const passkey = await ownPasskey(tx, accountId, id)
      tx.assign(passkey, { suspendedAt: null, suspendedFor: null })
      await this.#tell(tx, { ...change, type: 'passkey_confirmed', accountId }, id)
    })
  }

  /**
   * For those who have judged it themselves. Tells the owner; everybody stays signed in. Throws
   * `not_found`, `conflict` for one that may report a recovery still, and `last_way_in` where nothing
   * would be left to sign in with.
   */
  async remove(accountId: string, id: string, change: Change): Promise<void> {
    const { em, events, recoveryCodes, policy } = this.#deps
    await em.fork().transactional(async (tx) => {
      const account = await lockedAccount(tx, accountId)
      const passkey = await ownPasskey(tx, accountId, id)
      if (viewOf(passkey).keptUntil) throw new AppError('conflict')
      await tx.remove(passkey).flush()
      await ensureWayStays(tx, accountId, policy)
      await recount(tx, accountId)
      await recoveryCodes.dropUnneeded(tx, accountId)
      await events.notify(tx, account, 'passkey_removed', change.origin)
      await this.#tell(tx, { ...change, type: 'passkey_removed', accountId }, id)
    })
  }

  async #tell(tx: EntityManager, event: AuditRecord, passkey: string): Promise<void> {
    await tx.flush()
    await this.#deps.audit.append(tx, { ...event, detail: { passkey } })
  }
}

const NEWEST_USE_FIRST: { orderBy: QueryOrderMap<PasskeyCredential>[] } = {
  orderBy: [{ lastUsedAt: 'desc nulls last' }, { createdAt: 'desc' }],
}

/** Another's is as unknown as none. */
async function ownPasskey(
  tx: EntityManager,
  accountId: string,
  id: string,
): Promise<PasskeyCredential> {
  const passkey = UUID.test(id)
    ? await tx.findOne(PasskeyCredential, { id, account: accountId })
    : null
  if (!passkey) throw new AppError('not_found')
  return passkey
}
