import { randomUUID } from 'node:crypto'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import type { EntityManager } from '../../database/database.ts'
import { type Account, PendingSignUp } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import type { Arrival, UpstreamArrivals, UpstreamPerson } from '../../upstream/arrivals.ts'
import type { ProvenAccount } from '../accounts.ts'
import { lockedAccount } from '../locked-account.ts'
import { checkColumns } from '../profile-checks.ts'
import type { Acceptances } from '../registration/acceptances.ts'
import type { Candidate } from '../registration/candidates.ts'
import { makeAccount } from '../registration/make-account.ts'
import type { Registration } from '../registration/registration.ts'
import { ensureStillOpens, type ShownSignIn } from '../shown-sign-in.ts'
import type { Identities } from './identities.ts'

export interface JoiningDeps {
  readonly em: EntityManager
  readonly arrivals: UpstreamArrivals
  readonly identities: Identities
  readonly registration: Registration
  readonly acceptances: Pick<Acceptances, 'require'>
}

/** Who arrived at which provider; the arrival is spent with what it leads to. */
export interface Arrived extends Pick<Arrival, 'id' | 'providerId'> {
  readonly person: UpstreamPerson
}

/** An identity comes to an account: to a new one, or to one that was proven besides. */
export class Joining {
  readonly #deps: JoiningDeps

  constructor(deps: JoiningDeps) {
    this.#deps = deps
  }

  /**
   * Whose address is proven, by the provider or here. Name and picture are taken over this once.
   * Throws what `Registration.admit` does, `terms_required`, `identity_taken`, `interaction_expired`,
   * or `conflict` for an address that somebody took in the meantime.
   */
  async open(
    arrived: Arrived,
    wanted: Candidate & {
      readonly name: string
      readonly locale: string
      /** The version of the terms that was accepted. */
      readonly termsVersion?: string | undefined
    },
    origin: RequestOrigin,
  ): Promise<ProvenAccount> {
    const { registration, acceptances, identities, em } = this.#deps
    const { name, locale, termsVersion: version, ...person } = wanted
    const candidate = { ...person, providerId: arrived.providerId }
    const { email } = candidate
    await registration.admit(candidate)
    acceptances.require(version)
    const terms = version === undefined ? null : { version, locale }
    return em.fork().transactional(async (tx) => {
      await this.#spend(tx, arrived)
      const admission = await registration.admitTo(tx, { ...candidate, terms })
      const made = { id: randomUUID(), name, email, locale, passwordHash: null }
      const account = await makeAccount(tx, admission, made, 'conflict')
      await registration.noteAccepted(tx, admission, account.id)
      account.imageUrl = pictureOf(arrived.person)
      await tx.nativeDelete(PendingSignUp, { email })
      await identities.attach(tx, account, { ...arrived, by: 'sign_up' }, origin)
      return { accountId: account.id, credentialVersion: account.credentialVersion }
    })
  }

  /**
   * To an account whose own sign-in was shown in this browser, and whose owner has said so. Throws
   * `identity_taken`, whose owners are told; `invalid_credentials` if it is not what was proven.
   */
  async connect(arrived: Arrived, shown: ShownSignIn, origin: RequestOrigin): Promise<void> {
    const { accountId } = shown
    const { em, identities } = this.#deps
    try {
      await em.fork().transactional(async (tx) => {
        await this.#spend(tx, arrived)
        const account = await lockedAccount(tx, accountId)
        ensureStillOpens(account, shown)
        await identities.attach(tx, account, { ...arrived, by: 'link' }, origin)
      })
    } catch (error) {
      if (error instanceof AppError && error.code === 'identity_taken')
        await identities.tellTaken(accountId, arrived, origin)
      throw error
    }
  }

  async #spend(tx: EntityManager, { id }: Arrived): Promise<void> {
    if (!(await this.#deps.arrivals.spend(tx, id))) throw new AppError('interaction_expired')
  }
}

/** An address that is named to apps and never fetched by us (UP-10). */
function pictureOf({ picture }: UpstreamPerson): Account['imageUrl'] {
  return picture === undefined
    ? null
    : (checkColumns({ imageUrl: picture }).columns.imageUrl ?? null)
}
