import { LIFETIMES } from '../config/limits.ts'
import type { ProofOfWork } from '../config/registration-modes.ts'
import type { StatelessChallenges } from '../crypto/challenge.ts'
import { isWorkDone, WORK_ROUNDS } from '../crypto/proof-of-work.ts'
import { sha256 } from '../crypto/token.ts'
import type { Pool } from '../database/database.ts'
import { spendChallenge } from '../database/spent-challenges.ts'
import type { MailCaps } from '../mail/caps.ts'
import type { WorkModel } from '../views/views.ts'

const FORM = /^([\w-]{48})\.(\d{1,6})$/

export interface SignUpWorkDeps {
  readonly mode: ProofOfWork
  readonly mailCaps: Pick<MailCaps, 'isHalfSpent'>
  readonly challenges: StatelessChallenges
  readonly pool: Pick<Pool, 'query'>
}

/** Work that a browser does for a sign-up, where so many come that they may be programs. */
export class SignUpWork {
  readonly #deps: SignUpWorkDeps

  constructor(deps: SignUpWorkDeps) {
    this.#deps = deps
  }

  /** What a page asks for, good for one form of this interaction; undefined: nothing. */
  ask(uid: string): WorkModel | undefined {
    if (!this.#isDue()) return undefined
    const challenge = this.#deps.challenges.make('sign-up.work', uid, LIFETIMES.challenge)
    return { challenge, rounds: WORK_ROUNDS }
  }

  /** A proof is spent once it is known to be one: every row has cost its maker work. */
  async isMissing(proof: string, uid: string): Promise<boolean> {
    if (!this.#isDue()) return false
    const [, challenge = '', counter = ''] = FORM.exec(proof) ?? []
    const end = this.#deps.challenges.judge(challenge, 'sign-up.work', uid)
    if (!end || !(await isWorkDone(challenge, counter))) return true
    return !(await spendChallenge(this.#deps.pool, [sha256(challenge), end]))
  }

  #isDue(): boolean {
    const { mode, mailCaps } = this.#deps
    return mode === 'always' || (mode === 'adaptive' && mailCaps.isHalfSpent())
  }
}
