import type { Context, Middleware } from 'koa'
import type { Problems } from '../../views/views.ts'
import { emailFault, passwordFault, refuseFaults, textsOf } from '../form.ts'
import { isHalfway } from '../middleware/reserving-limit.ts'
import { refusable } from '../refusable.ts'
import { nameOfApp } from '../renderer.ts'
import { originOf } from '../state.ts'
import { finishSignIn } from './finish.ts'
import { type InteractionDeps, type Step, stepOf } from './interaction.ts'
import { findKnownPerson, isOther, type KnownPerson, OTHER } from './known-person.ts'
import { leaveForm } from './leave.ts'

/** GET: the form, with the hint that the app gave or the person that has to confirm. */
export function showLogin(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const known = await findKnownPerson(ctx, deps, step)
    const hint = step.interaction.params['login_hint']
    render(deps, ctx, step, {
      email: typeof hint === 'string' ? hint.slice(0, 254) : (known?.email ?? ''),
      isRemembered: known?.isRemembered ?? false,
      known,
    })
  }
}

/**
 * POST: the first factor. Wrong credentials show the same page again, with the address kept and the
 * password gone (UX-10, UX-12).
 */
export function submitLogin(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const { username, password, remember } = textsOf(ctx, 'username', 'password', 'remember')
    const known = await findKnownPerson(ctx, deps, step)
    const email = known?.isFixed ? known.email : username
    const shown = { email: username, isRemembered: remember === 'yes', known }
    await refusable(
      ctx,
      async () => {
        refuseFaults({ username: emailFault(email), password: passwordFault(password) })
        // A box that the present session has ticked counts for nobody else (SE-04).
        const isRemembered = (accountId: string): boolean =>
          known?.isRemembered
            ? known.accountId === accountId && (known.isFixed || shown.isRemembered)
            : !known?.isFixed && shown.isRemembered
        await signIn(ctx, deps, step, { email, password, isRemembered })
      },
      (problems) => render(deps, ctx, step, { ...shown, problems }),
    )
  }
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
    binding: `interaction:${step.uid}`,
    app: nameOfApp(step.app),
  }
  const outcome = await deps.signIn.withPassword(credentials, originOf(ctx), (proven) =>
    finishSignIn(ctx, deps, step, { ...proven, isRemembered: isRemembered(proven.accountId) }),
  )
  if (outcome.status !== 'signed_in') isHalfway(ctx)
  if (outcome.status === 'mfa_required') {
    await step.goOn({
      ...step.state,
      mfa: {
        challenge: outcome.challenge,
        email: outcome.email,
        isRemembered: isRemembered(outcome.accountId),
      },
    })
  }
  if (outcome.status === 'email_unverified') {
    const { userId, tokenId } = outcome.started
    const { mfa: _before, ...state } = step.state
    await step.goOn({
      ...state,
      signUp: { userId, tokenId, email: outcome.email },
    })
  }
}

interface Shown {
  readonly email: string
  readonly isRemembered?: boolean
  readonly known: KnownPerson | undefined
  readonly problems?: Problems
}

function render(
  deps: InteractionDeps,
  ctx: Context,
  step: Step,
  { email, isRemembered = false, known, problems }: Shown,
): void {
  const form = {
    action: `${step.url('login')}${isOther(ctx) ? OTHER : ''}`,
    csrf: deps.csrf.token(ctx),
    asksPassword: true,
    forgotHref: `/forgot-password?interaction=${step.uid}`,
    leave: leaveForm(ctx, deps, step),
    problems,
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
    { ...form, email, remember: isRemembered, signUpHref: step.url('sign-up') },
    step.app,
  )
}
