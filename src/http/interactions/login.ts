import type { Context, Middleware } from 'koa'
import { LIFETIMES } from '../../config/limits.ts'
import type { PasskeyForm, PasskeySignal, Problems, UpstreamNotice } from '../../views/views.ts'
import { emailFault, passwordFault, refuseFaults, textsOf } from '../form.ts'
import { isHalfway } from '../middleware/reserving-limit.ts'
import { refusable } from '../refusable.ts'
import { nameOfApp } from '../renderer.ts'
import { originOf } from '../state.ts'
import { finishSignIn } from './finish.ts'
import { secondStepAfter } from './half-way.ts'
import {
  bindingOf,
  type InteractionDeps,
  requireOffered,
  type Step,
  stepOf,
} from './interaction.ts'
import {
  type Asking,
  findKnownPerson,
  isOther,
  type KnownPerson,
  OTHER,
  staysRemembered,
} from './known-person.ts'
import { leaveForm } from './leave.ts'
import { connectingEmail, connectingNotice, providerButtons } from './providers.ts'
import { signUpHref } from './who-may-register.ts'

/** GET: the form, with the hint that the app gave or the person that has to confirm. */
export function showLogin(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    await beginLogin(ctx, deps, stepOf(ctx))
  }
}

/** `upstream`: what came of a try to come by a provider. */
export async function beginLogin(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  upstream?: UpstreamNotice,
): Promise<void> {
  const known = await findKnownPerson(ctx, deps, step)
  const hint = step.interaction.params['login_hint']
  const hinted = typeof hint === 'string' ? hint.slice(0, 254) : (known?.email ?? '')
  await renderLogin(ctx, deps, step, {
    email: connectingEmail(step) ?? hinted,
    isRemembered: known?.isRemembered ?? false,
    known,
    upstream,
  })
}

/**
 * POST: the first factor. Wrong credentials show the same page again, with the address kept and the
 * password gone (UX-10, UX-12).
 */
export async function submitLogin(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  { known, email }: Asking,
): Promise<void> {
  const { password, remember } = textsOf(ctx, 'password', 'remember')
  const shown = { email, isRemembered: remember === 'yes', known }
  await refusable(
    ctx,
    async () => {
      requireOffered(step, 'password')
      refuseFaults({ username: emailFault(email), password: passwordFault(password) })
      const isRemembered = (accountId: string): boolean =>
        staysRemembered(known, accountId, shown.isRemembered)
      await signIn(ctx, deps, step, { email, password, isRemembered })
    },
    (problems) => renderLogin(ctx, deps, step, { ...shown, problems }),
  )
}

/**
 * Where the first factor leads: on to the second, to the address that is not proven yet, or back to
 * the app.
 */
async function signIn(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  {
    email,
    password,
    isRemembered,
  }: { email: string; password: string; isRemembered: (accountId: string) => boolean },
): Promise<void> {
  const credentials = {
    email,
    password,
    device: deps.deviceCookie.read(ctx),
    takesTrust: step.policy.takesTrust,
    binding: bindingOf(step),
    app: nameOfApp(step.app),
  }
  const outcome = await deps.signIn.withPassword(credentials, originOf(ctx), (proven) =>
    finishSignIn(ctx, deps, step, { ...proven, isRemembered: isRemembered(proven.accountId) }),
  )
  if (outcome.status !== 'signed_in') isHalfway(ctx)
  if (outcome.status === 'mfa_required') {
    await step.goOn({
      ...step.state,
      mfa: secondStepAfter(outcome, isRemembered(outcome.accountId)),
    })
  }
  if (outcome.status === 'email_unverified') {
    const { userId, tokenId } = outcome.started
    const { mfa: _mfa, emailCode: _code, ...state } = step.state
    await step.goOn({
      ...state,
      signUp: { userId, tokenId, email: outcome.email },
    })
  }
}

export interface ShownLogin {
  readonly email: string
  readonly isRemembered?: boolean
  readonly known: KnownPerson | undefined
  readonly problems?: Problems
  readonly signal?: PasskeySignal | undefined
  readonly upstream?: UpstreamNotice | undefined
}

/** The page of the first step, fresh or after a refusal. */
export async function renderLogin(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  { email, isRemembered = false, known, problems, signal, upstream }: ShownLogin,
): Promise<void> {
  const asksPassword = step.offers('password')
  const form = {
    action: `${step.url('login')}${isOther(ctx) ? OTHER : ''}`,
    csrf: deps.csrf.token(ctx),
    asksPassword,
    codeAction: step.offers('email-code')
      ? `${step.url('send-code')}${isOther(ctx) ? OTHER : ''}`
      : undefined,
    forgotHref: asksPassword ? `/forgot-password?interaction=${step.uid}` : undefined,
    recoverHref: deps.signInPolicy.offers('passkey')
      ? `/recover?interaction=${step.uid}`
      : undefined,
    leave: leaveForm(ctx, deps, step),
    problems,
    passkey: await passkeyForm(ctx, deps, step, known),
    signal,
    providers: await providerButtons(deps, step, isOther(ctx) ? OTHER : ''),
    upstream: upstream ?? (await connectingNotice(ctx, deps, step)),
  }
  if (known?.isFixed) {
    const again = {
      email: known.email,
      isReauthentication: true,
      otherAccountHref: `${step.url('login')}${OTHER}`,
    }
    deps.renderer.page(ctx, 'interaction/login', { ...form, ...again }, step.app)
    return
  }
  deps.renderer.page(
    ctx,
    'interaction/login',
    { ...form, email, remember: isRemembered, signUpHref: signUpHref(ctx, deps, step) },
    step.app,
  )
}

/**
 * Any passkey, for as long as the page is good: autofill may wait, and nothing is stored for it. Who
 * confirms who they are has only their own.
 */
async function passkeyForm(
  ctx: Context,
  { csrf, passkeys }: InteractionDeps,
  step: Step,
  known: KnownPerson | undefined,
): Promise<PasskeyForm | undefined> {
  if (!step.offers('passkey')) return undefined
  const binding = bindingOf(step)
  const options = known?.isFixed
    ? await passkeys.assertionOptions(known.accountId, binding)
    : passkeys.signInOptions(binding, LIFETIMES.interaction)
  if (!options) return undefined
  return {
    action: `${step.url('passkey')}${isOther(ctx) ? OTHER : ''}`,
    csrf: csrf.token(ctx),
    hidden: { remember: '' },
    options: { ...options, userVerification: 'required' },
  }
}
