import { LockMode } from '@mikro-orm/core'
import type { AuditSink } from '../../audit/event.ts'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import type { EntityManager } from '../../database/database.ts'
import { Account } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import type { Messages } from '../../mail/messages.ts'
import { canonicalEmail } from '../canonical-email.ts'
import type { Asker, CodesByAddress, StartedCode } from '../codes-by-address.ts'
import { takesTwoFactors } from '../factors/levels.ts'
import type { RecoveryCodes } from '../factors/recovery-codes.ts'
import type { SecondStep } from '../factors/second-step.ts'
import type { OneTimeTokens } from '../one-time-tokens.ts'
import type { Hold } from './hold-rows.ts'
import type { RecoveryHolds } from './holds.ts'
import type { Pass, RecoveryPasses } from './passes.ts'

export interface RecoveryDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly codes: CodesByAddress
  readonly tokens: OneTimeTokens
  readonly messages: Messages
  readonly recoveryCodes: RecoveryCodes
  readonly secondStep: SecondStep
  readonly holds: RecoveryHolds
  readonly passes: RecoveryPasses
  /** How long an account of two factors waits whose owner shows the mailbox alone; 0: never opens. */
  readonly holdHours: number
}

/** What a person who has shown the mailbox may do next. */
export interface NextStep {
  readonly email: string
  readonly recoveryCodesLeft: number
  readonly hold: Hold | undefined
  readonly holdHours: number
}

/** The way back for a person who cannot use a passkey, from the address to what lets them go on. */
export class Recovery {
  readonly #deps: RecoveryDeps

  constructor(deps: RecoveryDeps) {
    this.#deps = deps
  }

  /** Answers alike for every address; changes nothing by itself. Throws `invalid_input`. */
  async request(email: string, origin: RequestOrigin, asker?: Asker): Promise<StartedCode> {
    const { codes, messages } = this.#deps
    const wanted = { purpose: 'recover', email, origin, asker } as const
    const { started } = await codes.mail(wanted, (tx, mail) =>
      messages.codeAlone(tx, 'recover-account', mail),
    )
    return started
  }

  /**
   * The mailed code, in the page that asked for it. An account that never had two factors is open at
   * once: its mailbox could reset its password as well. Throws `invalid_code`.
   */
  async proveAddress({
    tokenId,
    code,
    email,
  }: {
    tokenId: string
    code: string
    email: string
  }): Promise<Pass> {
    const { em, tokens, passes, audit } = this.#deps
    const typed = { tokenId, purpose: 'recover', code, address: canonicalEmail(email) } as const
    const right = await tokens.judge(typed)
    const { subjectId: id, address, credentialVersion } = right.proof
    return em.fork().transactional(async (tx) => {
      const account = await tx.findOne(
        Account,
        { id, email: address, credentialVersion, status: 'active' },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      )
      if (!account) throw new AppError('invalid_code')
      await tokens.spend(tx, right)
      if (takesTwoFactors(account)) return passes.issue(tx, account, 'recover_proven')
      const pass = await passes.issue(tx, account, 'recover_grant')
      await audit.append(tx, { type: 'recovery_started', accountId: id, detail: { hours: 0 } })
      return pass
    })
  }

  /** What the bearer of a pass may do. Throws `invalid_link`. */
  async next(secret: string): Promise<NextStep> {
    const { passes, recoveryCodes, holds, holdHours } = this.#deps
    const { id, email } = await passes.look(secret, 'recover_proven')
    return {
      email,
      holdHours,
      recoveryCodesLeft: await recoveryCodes.left(id),
      hold: await holds.find(id),
    }
  }

  /** A recovery code, or a code of the app, saves the wait. Throws `invalid_link`, `invalid_code`. */
  async bySecondFactor(secret: string, code: string, origin: RequestOrigin): Promise<Pass> {
    const { passes, secondStep, audit } = this.#deps
    const { id: accountId } = await passes.look(secret, 'recover_proven')
    let pass: Pass | undefined
    await secondStep.verify(accountId, code, origin, async (tx) => {
      const account = await passes.spend(tx, secret, 'recover_proven')
      pass = await passes.issue(tx, account, 'recover_grant')
      const detail = { hours: 0 }
      await audit.append(tx, { type: 'recovery_started', accountId, origin, detail })
    })
    if (!pass) throw new AppError('invalid_code')
    return pass
  }

  /** Begins the wait. Throws `invalid_link`, `forbidden` where the operator allows none. */
  async wait(secret: string, origin: RequestOrigin): Promise<Hold> {
    const { em, passes, holds, holdHours } = this.#deps
    if (holdHours === 0) throw new AppError('forbidden')
    return em.fork().transactional(async (tx) => {
      const account = await passes.spend(tx, secret, 'recover_proven')
      return holds.begin(tx, account, { seconds: holdHours * 3600, origin })
    })
  }

  /** Whose account a link opens, without spending it. Throws `invalid_link`. */
  async peekLink(secret: string): Promise<{ address: string }> {
    return this.#deps.holds.peekLink(secret)
  }

  async spendLink(secret: string): Promise<Pass> {
    const { em, passes, holds } = this.#deps
    return em
      .fork()
      .transactional(async (tx) =>
        passes.issue(tx, await holds.spendLink(tx, secret), 'recover_grant'),
      )
  }
}
