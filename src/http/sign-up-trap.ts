import type { Context } from 'koa'
import { LIFETIMES } from '../config/limits.ts'
import type { StatelessChallenges } from '../crypto/challenge.ts'
import type { TrapModel } from '../views/views.ts'
import type { SignUpWork } from './sign-up-work.ts'

export interface SignUpTrapDeps {
  readonly challenges: StatelessChallenges
  /** Nobody fills in the form in less. 0: that is not looked at. */
  readonly fillSeconds: number
  readonly work: SignUpWork
}

/**
 * What tells programs from people without a question: a field that nobody sees, how long the form
 * took, and work that a browser does where it is due. Who is suspected is answered like everybody
 * else, and their mail comes later.
 */
export class SignUpTrap {
  readonly #deps: SignUpTrapDeps

  constructor(deps: SignUpTrapDeps) {
    this.#deps = deps
  }

  /** A page that is shown again keeps the moment when it was first shown. */
  fields(ctx: Context, uid: string): TrapModel {
    const { challenges, fillSeconds } = this.#deps
    const work = this.#deps.work.ask(uid)
    if (fillSeconds === 0) return { work }
    const sent = this.#shownAt(ctx, uid) ? ctx.state.form?.['shown'] : undefined
    return { shown: sent ?? challenges.make('sign-up.shown', uid, LIFETIMES.interaction), work }
  }

  async suspects(ctx: Context, uid: string): Promise<boolean> {
    const { website, proof = '' } = ctx.state.form ?? {}
    return !!website || this.#isTooFast(ctx, uid) || this.#deps.work.isMissing(proof, uid)
  }

  #isTooFast(ctx: Context, uid: string): boolean {
    const { fillSeconds } = this.#deps
    if (fillSeconds === 0) return false
    const shownAt = this.#shownAt(ctx, uid)
    return !shownAt || Date.now() - shownAt < fillSeconds * 1000
  }

  #shownAt(ctx: Context, uid: string): number | undefined {
    const sent = ctx.state.form?.['shown'] ?? ''
    const end = this.#deps.challenges.judge(sent, 'sign-up.shown', uid)
    return end && end.getTime() - LIFETIMES.interaction * 1000
  }
}
