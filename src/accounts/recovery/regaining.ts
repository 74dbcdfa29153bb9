import type { RequestOrigin } from '../../audit/request-origin.ts'
import { sha256 } from '../../crypto/token.ts'
import type { EntityManager } from '../../database/database.ts'
import { type Account, RecoveryCode, VerificationToken } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import type { Attempts } from '../factors/attempts.ts'
import { passwordSubject } from '../factors/counter-subjects.ts'
import { takesTwoFactors } from '../factors/levels.ts'
import type { NewPasskey } from '../factors/passkeys/new-passkey.ts'
import type { CreationOptions } from '../factors/passkeys/options.ts'
import type { Passkeys } from '../factors/passkeys/passkeys.ts'
import type { RecoveryCodes } from '../factors/recovery-codes.ts'
import { takesMailedCode } from '../factors/ways.ts'
import type { PasswordFault } from '../passwords/password-policy.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { ReplacedCredentials } from '../replaced-credentials.ts'
import type { RecoveryPasses } from './passes.ts'
import { suspendWays } from './suspension.ts'

export interface RegainingDeps {
  readonly em: EntityManager
  readonly attempts: Attempts
  readonly passes: RecoveryPasses
  readonly passkeys: Passkeys
  readonly passwords: Passwords
  readonly recoveryCodes: RecoveryCodes
  readonly replaced: ReplacedCredentials
}

/** Which account is regained. */
export interface Regained {
  readonly id: string
  readonly email: string
  readonly name: string
}

/** The end of a recovery: a new way in, and nothing of the old ones by itself. */
export class Regaining {
  readonly #deps: RegainingDeps

  constructor(deps: RegainingDeps) {
    this.#deps = deps
  }

  /** Throws `invalid_link` where nothing is allowed any more. */
  async look(grant: string): Promise<Regained> {
    const { id, email, name } = await this.#deps.passes.look(grant, 'recover_grant')
    return { id, email, name }
  }

  faultOf(password: string, { email, name }: Regained): PasswordFault | undefined {
    return this.#deps.passwords.faultOf(password, { email, name })
  }

  /** Answers with new recovery codes, if the account has a use for them. Throws `invalid_link`. */
  async withPassword(
    grant: string,
    password: string,
    origin: RequestOrigin,
  ): Promise<readonly string[]> {
    const { passwords } = this.#deps
    const account = await this.look(grant)
    passwords.check(password, account)
    const passwordHash = await passwords.hash(password)
    return this.#finish(grant, account.id, origin, async (_tx, mine) => {
      mine.passwordHash = passwordHash
      mine.passwordChangedAt = new Date()
    })
  }

  /** What the browser makes a passkey of. Throws `invalid_link`. */
  async passkeyOptions(grant: string): Promise<CreationOptions> {
    const account = await this.look(grant)
    return this.#deps.passkeys.creationOptions(account, bindingOf(grant), 'passkey', true)
  }

  /** The same with a passkey instead. Throws what its registration does, too. */
  async withPasskey(
    grant: string,
    credential: NewPasskey['credential'],
    origin: RequestOrigin,
  ): Promise<readonly string[]> {
    const { id: accountId } = await this.look(grant)
    const binding = bindingOf(grant)
    const made = { accountId, credential, binding, purpose: 'passkey' } as const
    const { store } = await this.#deps.passkeys.prepare(made, origin)
    return this.#finish(grant, accountId, origin, async (tx, mine) => void (await store(tx, mine)))
  }

  /** Whether a code to the address will open the account, without anything new. */
  async opensByCode(grant: string): Promise<boolean> {
    const { id } = await this.look(grant)
    return takesMailedCode(this.#deps.em.fork(), id)
  }

  /** The same with no more than that. Throws `forbidden` where it does not. */
  async withCode(grant: string, origin: RequestOrigin): Promise<readonly string[]> {
    const { id } = await this.look(grant)
    return this.#finish(grant, id, origin, async (tx) => {
      if (!(await takesMailedCode(tx, id))) throw new AppError('forbidden')
    })
  }

  /**
   * An old password is void as the old ways in are, and so are the recovery codes. What else there
   * was waits until its owner confirms it.
   */
  async #finish(
    grant: string,
    accountId: string,
    origin: RequestOrigin,
    put: (tx: EntityManager, account: Account) => Promise<void>,
  ): Promise<readonly string[]> {
    const { attempts, passes, recoveryCodes, replaced } = this.#deps
    const notice = { kind: 'recovery_completed', origin } as const
    return replaced.replace(
      accountId,
      { event: 'recovery_completed', notice },
      async (tx, account) => {
        await passes.spend(tx, grant, 'recover_grant')
        await suspendWays(tx, accountId, 'recovery')
        account.passwordHash = null
        account.mustResetPassword = false
        await put(tx, account)
        await tx.nativeDelete(RecoveryCode, { account: accountId })
        await tx.nativeDelete(VerificationToken, { subjectId: accountId, purpose: 'recovery_hold' })
        await attempts.clear(tx, passwordSubject(account.email), 'password')
      },
      async (tx, _account, strongest) =>
        takesTwoFactors({ strongest }) ? recoveryCodes.replace(tx, accountId) : [],
    )
  }
}

/** Its challenge is for this recovery alone (PK-01). */
function bindingOf(grant: string): string {
  return `recovery:${sha256(grant).toString('base64url')}`
}
