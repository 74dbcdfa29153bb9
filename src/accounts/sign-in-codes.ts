import { LockMode } from '@mikro-orm/core'
import type { AuditRecord, AuditSink } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import type { EntityManager } from '../database/database.ts'
import { Account } from '../entities/index.ts'
import { AppError, noneIfRefused } from '../errors.ts'
import type { Messages } from '../mail/messages.ts'
import { type Addressee, findAddressee } from './addressee.ts'
import { type CanonicalEmail, canonicalEmail } from './canonical-email.ts'
import { type CodesByAddress, placeOf, type StartedCode } from './codes-by-address.ts'
import { type Attempts, attempt } from './factors/attempts.ts'
import { signInCodeSubject } from './factors/counter-subjects.ts'
import { EMAIL_CODE } from './factors/methods/email-code.ts'
import { takesMailedCode } from './factors/ways.ts'
import type { FirstStep, FirstStepOutcome, ProvenSignIn } from './first-step.ts'
import type { OneTimeTokens, RightCode } from './one-time-tokens.ts'
import type { Registration } from './registration/registration.ts'

export interface SignInCodesDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly tokens: OneTimeTokens
  readonly codes: CodesByAddress
  readonly messages: Messages
  readonly attempts: Attempts
  readonly firstStep: FirstStep
  readonly registration: Pick<Registration, 'isOpenTo'>
}

/** Who asks for a code, or types one. */
interface Place {
  /** What it is good for, and nothing else: `interaction:<uid>` or `api`. */
  readonly binding: string
  /** The device cookie, if the browser has one. */
  readonly device?: string | undefined
}

export interface WantedSignInCode extends Place {
  readonly email: string
  /** The page that asks, if it has asked before. */
  readonly page?: string | undefined
  /** Name of the app that the person came from. */
  readonly app?: string | undefined
  readonly clientId?: string | undefined
}

export interface TypedSignInCode extends Place {
  readonly email: string
  readonly tokenId: string
  readonly code: string
}

/**
 * Signing in by a code to the address. It is good only in the page that asked for it, so that one
 * that somebody was talked out of is of no use elsewhere; and all codes of an address together allow
 * a few wrong tries, so that asking again and again gives no more guesses (RL-06).
 */
export class SignInCodes {
  readonly #deps: SignInCodesDeps

  constructor(deps: SignInCodesDeps) {
    this.#deps = deps
  }

  /**
   * Answers alike for every address, known or not, and changes nothing. Throws `invalid_input` for
   * what is no address.
   */
  async request(
    { email, binding, device, page, app, clientId }: WantedSignInCode,
    origin: RequestOrigin,
  ): Promise<StartedCode> {
    const { codes, messages, registration } = this.#deps
    const { started } = await codes.mail(
      { purpose: 'sign_in', email, origin, binding, asker: { device, page } },
      async (tx, mail, { addressee, subjectId }) => {
        const isFor = (await takesMailedCode(tx, subjectId)) && !addressee?.mustResetPassword
        const otherwise = addressee ? 'sign-in-otherwise' : 'no-account'
        const candidate = { email: mail.to as CanonicalEmail, clientId }
        const isToBeTold = (await registration.isOpenTo(candidate)) || addressee !== undefined
        return messages.signInCode(tx, {
          ...mail,
          isDecoy: !isToBeTold,
          client: app,
          instead: isFor ? undefined : otherwise,
        })
      },
    )
    return started
  }

  /**
   * `goOn`: what a sign-in leads to that needs no second step. Throws `invalid_code`, or
   * `too_many_requests` with the seconds to wait.
   */
  async answer(
    { email: submitted, binding, device, tokenId, code }: TypedSignInCode,
    origin: RequestOrigin,
    goOn?: (proven: ProvenSignIn) => Promise<void>,
  ): Promise<FirstStepOutcome> {
    const email = canonicalEmail(submitted)
    if (!email) throw new AppError('invalid_code')
    const addressee = await findAddressee(this.#deps.em.fork(), email, device)
    const right = await this.#judge(email, addressee, { binding, tokenId, code }, origin)
    const account = await this.#spend(right, email)
    return this.#deps.firstStep.proceed({ account, proofs: [EMAIL_CODE], binding, origin }, goOn)
  }

  /** A browser of the owner has tries of its own, which strangers cannot use up (RL-03). */
  async #judge(
    email: CanonicalEmail,
    addressee: Addressee | undefined,
    { binding, tokenId, code }: Pick<TypedSignInCode, 'binding' | 'tokenId' | 'code'>,
    origin: RequestOrigin,
  ): Promise<RightCode> {
    const { attempts, tokens } = this.#deps
    const tried: AuditRecord = {
      type: 'sign_in',
      ...(addressee ? { accountId: addressee.id } : { address: email }),
      origin,
      detail: { factor: EMAIL_CODE.id, reason: 'credentials' },
    }
    const subject = signInCodeSubject(addressee?.asker ?? email)
    const address = placeOf(email, binding, tokenId)
    let right: RightCode | undefined
    await attempt(await attempts.reserve(subject, 'mailed-code', tried), async () => {
      right = await tokens
        .judge({ tokenId, purpose: 'sign_in', code, address })
        .catch(noneIfRefused)
      // A right code gives back its own try, and forgets none of those before it.
      return right ? undefined : false
    })
    if (!right) throw new AppError('invalid_code')
    return right
  }

  /** With it end all other codes of the account; nothing of it counts if the account has changed since. */
  async #spend({ proof, ...right }: RightCode, email: CanonicalEmail): Promise<Account> {
    const { em, tokens } = this.#deps
    return em.fork().transactional(async (tx) => {
      const { subjectId: id, credentialVersion } = proof
      const still = { id, email, credentialVersion, status: 'active', mustResetPassword: false }
      const account = await tx.findOne(Account, still as Partial<Account>, {
        lockMode: LockMode.PESSIMISTIC_WRITE,
      })
      if (!account || !(await takesMailedCode(tx, id))) throw new AppError('invalid_code')
      await tokens.spend(tx, { proof, ...right })
      await tokens.voidAll(tx, id, 'sign_in')
      return account
    })
  }
}
