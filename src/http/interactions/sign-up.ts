import type { Context, Middleware } from 'koa'
import type { Invitation } from '../../entities/index.ts'
import type { Problems } from '../../views/views.ts'
import { preciseProblems, textsOf } from '../form.ts'
import { refusable } from '../refusable.ts'
import { nameOfApp } from '../renderer.ts'
import { originOf } from '../state.ts'
import { termsBox, tickedTerms, withTermsFault } from '../terms-box.ts'
import { chosenWay, firstWaysOf } from './first-ways.ts'
import { type InteractionDeps, type Step, stepOf } from './interaction.ts'
import { leaveForm } from './leave.ts'
import { providerButtons } from './providers.ts'
import { enterNew } from './signed-up.ts'
import { offerOf, provesAddress, shownInvitation } from './who-may-register.ts'

export function showSignUp(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const hint = step.interaction.params['login_hint']
    const email = typeof hint === 'string' ? hint.slice(0, 254) : ''
    await render(ctx, deps, step, { name: '', email, invitation: await shownInvitation(ctx, deps) })
  }
}

export function submitSignUp(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const { name, email, password, passkey } = textsOf(ctx, 'name', 'email', 'password', 'passkey')
    const invitation = await shownInvitation(ctx, deps)
    const isSuspected = await deps.signUpTrap.suspects(ctx, step.uid)
    const way = chosenWay(firstWaysOf(step), { password, passkey })
    await refusable(
      ctx,
      async () => {
        const wanted = {
          name,
          email,
          password: way.password,
          locale: deps.renderer.locale(ctx),
          app: nameOfApp(step.app),
          clientId: step.app.client.clientId,
          invitation: invitation?.id,
          termsVersion: tickedTerms(ctx),
          isSuspected,
        }
        if (invitation && provesAddress(invitation, email)) {
          const account = await deps.signUpProof.byInvitation(wanted, invitation)
          deps.invitationCookie.write(ctx, null)
          return enterNew(ctx, deps, step, account, way.wantsPasskey)
        }
        const { userId, tokenId } = await deps.signUp.start(wanted, originOf(ctx))
        deps.signUpFlow.write(ctx, { tokenId: userId, email: email.trim().slice(0, 254) })
        const { mfa: _mfa, emailCode: _code, ...state } = step.state
        await step.goOn({
          ...state,
          signUp: {
            userId,
            tokenId,
            email: email.trim(),
            wantsPasskey: way.wantsPasskey,
            isSuspected,
          },
        })
      },
      (problems) =>
        render(ctx, deps, step, {
          name,
          email,
          invitation,
          problems: withTermsFault(ctx, deps, preciseProblems(problems, { email })),
        }),
    )
  }
}

async function render(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  {
    invitation,
    ...shown
  }: { name: string; email: string; invitation: Invitation | undefined; problems?: Problems },
): Promise<void> {
  deps.renderer.page(
    ctx,
    'interaction/sign-up',
    {
      action: step.url('sign-up'),
      csrf: deps.csrf.token(ctx),
      signInHref: step.url('login'),
      ways: firstWaysOf(step),
      providers: await providerButtons(deps, step),
      registration: offerOf(deps, step, invitation),
      terms: termsBox(ctx, deps),
      trap: deps.signUpTrap.fields(ctx, step.uid),
      leave: leaveForm(ctx, deps, step),
      ...shown,
    },
    step.app,
  )
}
