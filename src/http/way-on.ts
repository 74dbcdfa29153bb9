import type { SignInPolicy } from '../accounts/factors/sign-in-policy.ts'
import type { ErrorCode } from '../errors.ts'
import { LINK_PATHS } from '../mail/links.ts'
import type { WayBack } from '../oidc/starting-again.ts'
import type { MessageAction } from '../views/views.ts'
import { regainAction } from './regain.ts'

/** Where a dead link can be asked for again, by the page that it was for (UX-14). */
const BY_LINK: Readonly<Record<string, MessageAction>> = {
  '/reset-password': { href: '/forgot-password', label: 'ask_again' },
  '/verify-email': { href: '/signup', label: 'ask_again' },
  '/change-email': { href: '/account/email', label: 'ask_again' },
  '/recover/link': { href: '/recover', label: 'ask_again' },
  '/recover/next': { href: '/recover', label: 'ask_again' },
  '/recover/wait': { href: '/recover', label: 'ask_again' },
  '/recover/new': { href: '/recover', label: 'ask_again' },
  '/recover/stop': { href: '/account', label: 'account' },
}

/** A way on from an error page; undefined where there is nothing to do but wait, or to go back. */
export function wayOn(
  code: ErrorCode,
  path: string,
  { back, policy }: { readonly back?: WayBack | undefined; readonly policy?: SignInPolicy },
): MessageAction | undefined {
  if (back?.again) return { href: back.again, label: 'start_again' }
  if (back?.home) return { href: back.home, label: 'back_to_app' }
  if (code === 'invalid_link' && path === LINK_PATHS.reportCompromise && policy)
    return regainAction(policy)
  if (code === 'invalid_link') return BY_LINK[path] ?? { href: '/account', label: 'account' }
  if (code === 'invalid_invitation') return { href: '/account', label: 'account' }
  if (code === 'interaction_expired') return { href: '/account', label: 'account' }
  if (code === 'not_found' || code === 'method_not_allowed') return { href: '/', label: 'account' }
  // A form that was open too long: its page makes a new one.
  return code === 'forbidden' && /^\/\w/.test(path) ? { href: path, label: 'retry' } : undefined
}
