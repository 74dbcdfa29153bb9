import type { Middleware } from 'koa'
import type { SignInPolicy } from '../accounts/factors/sign-in-policy.ts'
import { LINK_PATHS, regainPath } from '../mail/links.ts'
import type { MessageAction } from '../views/models.ts'
import { seeOther } from './see-other.ts'

type Policy = Pick<SignInPolicy, 'offers'>

/** The way back in, as a page offers it to a person who cannot sign in. */
export function regainAction(policy: Policy): MessageAction {
  const hasPasswords = policy.offers('password')
  const label = hasPasswords ? 'reset_password' : 'recover_account'
  return { href: regainPath(hasPasswords), label }
}

/** Pages that set a password lead on to the recovery where nobody signs in by one. */
export function orRecover(policy: Policy): Middleware {
  return (ctx, next) => {
    if (policy.offers('password')) return next()
    const { interaction } = ctx.query
    const isLeft = typeof interaction === 'string' && /^[\w-]{1,64}$/.test(interaction)
    seeOther(ctx, isLeft ? `${LINK_PATHS.recover}?interaction=${interaction}` : LINK_PATHS.recover)
  }
}
