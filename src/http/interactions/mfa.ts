import type { Context, Middleware } from 'koa'
import type { SecondFactor } from '../../accounts/factors/second-step.ts'
import type { TrustOffer } from '../../views/session-models.ts'
import type { Problems, SecondMethod } from '../../views/views.ts'
import { emptyFault, refuseFaults, textsOf } from '../form.ts'
import { Assertion, readCredential } from '../passkey-credential.ts'
import { refusable } from '../refusable.ts'
import { originOf } from '../state.ts'
import { totpProblems } from '../totp-problems.ts'
import { finishSignIn } from './finish.ts'
import { bindingOf, type InteractionDeps, type Step, stepOf } from './interaction.ts'
import { OTHER } from './known-person.ts'
import { leaveForm } from './leave.ts'

/**
 * The step between the factors. Without a challenge of this very interaction there is nothing to
 * see (TF-06).
 */
export function showMfa(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    await render(ctx, deps, step, { remember: step.state.mfa?.isRemembered === true })
  }
}

/** A code, a recovery code or a passkey. */
export function submitMfa(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const { mfa } = step.state
    if (!mfa) return step.startOver()
    const texts = textsOf(ctx, 'code', 'credential', 'remember', 'trust')
    const { code, credential } = texts
    const isRemembered = texts.remember === 'yes'
    const wantsTrust = texts.trust === 'yes'
    const finish = (proven: SecondFactor) =>
      finishSignIn(ctx, deps, step, { ...proven, isRemembered, wantsTrust })
    let refused: Problems | undefined
    await refusable(
      ctx,
      async () => {
        const asked = { challenge: mfa.challenge, binding: bindingOf(step) }
        if (credential) {
          const shown = { ...asked, credential: readCredential(Assertion, credential) }
          return deps.secondStep.answerWithPasskey(shown, originOf(ctx), finish)
        }
        refuseFaults({ code: emptyFault(code) })
        await deps.secondStep.answer({ ...asked, code }, originOf(ctx), finish)
      },
      (problems) => {
        refused = problems
      },
    )
    if (refused)
      await render(ctx, deps, step, { remember: isRemembered, trust: wantsTrust }, refused)
  }
}

async function render(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  { remember, trust = false }: { readonly remember: boolean; readonly trust?: boolean },
  problems?: Problems,
): Promise<void> {
  const { mfa } = step.state
  const all: readonly SecondMethod[] = mfa?.accountId
    ? await deps.secondStep.methods(mfa.accountId)
    : ['totp']
  // Nothing else reaches what is demanded: a code would end at the app.
  const isPasskeyOnly = step.policy.level === 'phr' && all.includes('passkey')
  const methods: readonly SecondMethod[] = isPasskeyOnly ? ['passkey'] : all
  const offered = isPasskeyOnly ? methods : [...methods, 'recovery' as const]
  const method = offered.find((each) => each === ctx.query['method']) ?? offered[0] ?? 'recovery'
  const action = (of: SecondMethod) =>
    of === methods[0] ? step.url('mfa') : `${step.url('mfa')}?method=${of}`
  const options =
    method !== 'recovery' && mfa?.accountId && methods.includes('passkey')
      ? await deps.secondStep.passkeyOptions(mfa.accountId, mfa.challenge)
      : undefined
  const csrf = deps.csrf.token(ctx)
  deps.renderer.page(
    ctx,
    'interaction/mfa',
    {
      action: action(method),
      csrf,
      method,
      email: mfa?.email ?? '',
      passkey: options && {
        action: action(method),
        csrf,
        hidden: { remember: '', trust: '' },
        options,
      },
      otherMethods: offered
        .filter((each) => each !== method && (each !== 'passkey' || !options))
        .map((each) => ({ method: each, href: action(each) })),
      startOverHref: `${step.url('login')}${OTHER}`,
      leave: leaveForm(ctx, deps, step),
      remember,
      trust: method === 'recovery' ? undefined : trustOffer(deps, trust),
      problems: method === 'totp' ? totpProblems(problems) : problems,
    },
    step.app,
  )
}

function trustOffer(
  { signInPolicy: { trustedDeviceDays: days } }: InteractionDeps,
  isChosen: boolean,
): TrustOffer | undefined {
  return days > 0 ? { days, isChosen } : undefined
}
