import Router from '@koa/router'
import type { Context } from 'koa'
import type { Deletion } from '../../accounts/deletion.ts'
import type { EmailChange } from '../../accounts/email-change.ts'
import type { EmailUndo } from '../../accounts/email-undo.ts'
import type { SignInPolicy } from '../../accounts/factors/sign-in-policy.ts'
import type { Acceptances } from '../../accounts/registration/acceptances.ts'
import type { SecurityEvents } from '../../accounts/security-events.ts'
import type { SignUpProof } from '../../accounts/sign-up-proof.ts'
import type { Account } from '../../entities/index.ts'
import { LINK_PATHS } from '../../mail/links.ts'
import type { MessageAction } from '../../views/models.ts'
import type { Problems } from '../../views/views.ts'
import { formBody } from '../middleware/body.ts'
import type { Csrf } from '../middleware/csrf.ts'
import type { RateLimit } from '../middleware/rate-limit.ts'
import { refusable } from '../refusable.ts'
import { regainAction } from '../regain.ts'
import type { Renderer } from '../renderer.ts'
import { formOf, originOf } from '../state.ts'
import { termsBox, tickedTerms, withTermsFault } from '../terms-box.ts'
import type { FlowCookie } from './flow-cookie.ts'
import { tokenOf } from './mailed-secret.ts'

export interface MailLinkDeps {
  readonly signUpProof: SignUpProof
  readonly acceptances: Acceptances
  readonly emailChange: EmailChange
  readonly emailUndo: EmailUndo
  readonly events: SecurityEvents
  readonly deletion: Deletion
  readonly signInPolicy: SignInPolicy
  readonly renderer: Renderer
  readonly csrf: Csrf
  readonly limit: RateLimit
  /** Which sign-up this browser has begun. */
  readonly signUpFlow: FlowCookie
}

/**
 * Where mailed links land: a GET looks, one button acts, so that a scanner that opens every link
 * spends nothing (EM-04, UX-28).
 */
export function mailLinkRoutes(deps: MailLinkDeps): Router {
  const { signInPolicy, signUpProof, emailChange, emailUndo, events, deletion } = deps
  const { renderer, csrf, limit, signUpFlow } = deps
  const router = new Router()
  const hasPasswords = signInPolicy.offers('password')
  const guarded = [formBody(), csrf.guard, limit('verify')] as const
  const form = (ctx: Context, action: string) => ({
    action,
    csrf: csrf.token(ctx),
    hidden: { token: tokenOf(ctx) },
  })

  const showFinish = (ctx: Context, email: string, problems?: Problems): void =>
    renderer.page(ctx, 'pages/finish-sign-up', {
      ...form(ctx, '/verify-email'),
      email,
      asksPassword: hasPasswords,
      terms: termsBox(ctx, deps),
      problems: problems && withTermsFault(ctx, deps, problems),
    })
  const showVerified = (ctx: Context, { passwordHash }: Account): void => {
    signUpFlow.clear(ctx)
    const canSignIn = passwordHash !== null || signInPolicy.offers('email-code')
    const next: MessageAction = canSignIn
      ? { href: '/login', label: 'sign_in' }
      : { href: LINK_PATHS.recover, label: 'recover_account' }
    renderer.page(ctx, 'pages/message', { kind: 'email_verified', actions: [next] })
  }

  // A browser finishes its own sign-up; any other chooses a password, if there are any, so that a
  // click puts nobody else's in force (EM-11).
  router.get('/verify-email', async (ctx) => {
    const { address } = await signUpProof.peekLink(tokenOf(ctx))
    const own = await signUpProof.own(signUpFlow.read(ctx)?.tokenId, address)
    if (!own) return showFinish(ctx, address)
    renderer.page(ctx, 'pages/verify-link', {
      ...form(ctx, '/verify-email'),
      purpose: 'verify_email',
      email: address,
    })
  })
  router.post('/verify-email', ...guarded, async (ctx) => {
    const secret = tokenOf(ctx)
    const { address } = await signUpProof.peekLink(secret)
    const own = await signUpProof.own(signUpFlow.read(ctx)?.tokenId, address)
    if (own) return showVerified(ctx, await signUpProof.byLink(secret, own))
    const finish = async (): Promise<void> => {
      const password = hasPasswords ? passwordOf(ctx) : null
      const typed = { password, termsVersion: tickedTerms(ctx) }
      showVerified(ctx, await signUpProof.byLinkElsewhere(secret, typed))
    }
    await refusable(ctx, finish, (problems) => showFinish(ctx, address, problems))
  })

  router.get('/change-email', async (ctx) => {
    const { address } = await emailChange.peekLink(tokenOf(ctx))
    renderer.page(ctx, 'pages/verify-link', {
      ...form(ctx, '/change-email'),
      purpose: 'change_email',
      email: address,
    })
  })
  router.post('/change-email', ...guarded, async (ctx) => {
    await emailChange.completeByLink(tokenOf(ctx), originOf(ctx))
    renderer.page(ctx, 'pages/message', {
      kind: 'email_changed',
      actions: [{ href: '/account', label: 'account' }],
    })
  })

  router.get('/undo-email', async (ctx) => {
    const { address } = await emailUndo.peek(tokenOf(ctx))
    renderer.page(ctx, 'pages/undo-email', { ...form(ctx, '/undo-email'), email: address })
  })
  router.post('/undo-email', ...guarded, async (ctx) => {
    await emailUndo.undo(tokenOf(ctx))
    renderer.page(ctx, 'pages/message', {
      kind: 'email_restored',
      actions: [regainAction(signInPolicy)],
    })
  })

  router.get('/report-compromise', async (ctx) => {
    await events.peekReport(tokenOf(ctx))
    renderer.page(ctx, 'pages/report-compromise', form(ctx, '/report-compromise'))
  })
  router.post('/report-compromise', ...guarded, async (ctx) => {
    await events.report(tokenOf(ctx))
    renderer.page(ctx, 'pages/message', {
      kind: 'account_secured',
      actions: [regainAction(signInPolicy)],
    })
  })

  router.get('/keep-account', async (ctx) => {
    const { deletesAt } = await deletion.peekUndo(tokenOf(ctx))
    renderer.page(ctx, 'pages/undo-deletion', { ...form(ctx, '/keep-account'), deletesAt })
  })
  router.post('/keep-account', ...guarded, async (ctx) => {
    await deletion.undo(tokenOf(ctx))
    renderer.page(ctx, 'pages/message', {
      kind: 'account_kept',
      actions: [{ href: '/login', label: 'sign_in' }],
    })
  })
  return router
}

function passwordOf(ctx: Context): string {
  return (formOf(ctx)['password'] ?? '').slice(0, 4096)
}
