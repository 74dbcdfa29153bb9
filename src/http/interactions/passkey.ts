import type { Context, Middleware } from 'koa'
import { AppError } from '../../errors.ts'
import { reportPath } from '../../mail/links.ts'
import { settingsOf } from '../../oidc/clients/settings.ts'
import type { PasskeySignal } from '../../views/views.ts'
import { textsOf } from '../form.ts'
import { Assertion, readCredential } from '../passkey-credential.ts'
import { refusable } from '../refusable.ts'
import { originOf } from '../state.ts'
import { finishSignIn } from './finish.ts'
import { bindingOf, type InteractionDeps, type Step, stepOf } from './interaction.ts'
import { findKnownPerson, staysRemembered } from './known-person.ts'
import { renderLogin } from './login.ts'

/**
 * POST: a passkey that has verified its person, which is both factors at once. What is refused
 * shows the sign-in page again, with a new challenge.
 */
export function submitPasskey(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const known = await findKnownPerson(ctx, deps, step)
    const { credential, remember } = textsOf(ctx, 'credential', 'remember')
    const isTicked = remember === 'yes'
    const shown = { email: known?.email ?? '', isRemembered: isTicked, known }
    let signal: PasskeySignal | undefined
    let report: string | undefined
    await refusable(
      ctx,
      async () => {
        if (!deps.signInPolicy.offers('passkey', settingsOf(step.app.client)))
          throw new AppError('method_not_offered')
        const presented = {
          credential: readCredential(Assertion, credential),
          binding: bindingOf(step),
          accountId: known?.isFixed ? known.accountId : undefined,
        }
        const proven = await deps.passkeys
          .proveFirst(presented, originOf(ctx))
          .catch((error: unknown) => {
            signal = signalOf(error)
            report = error instanceof AppError ? error.details.report : undefined
            throw error
          })
        const isRemembered = staysRemembered(known, proven.accountId, isTicked)
        await finishSignIn(ctx, deps, step, { ...proven, isRemembered })
      },
      (problems) =>
        report
          ? offerReport(ctx, deps, step, report)
          : renderLogin(ctx, deps, step, { ...shown, problems, signal }),
    )
  }
}

/** The passkey waits since a recovery that may have been somebody else's. */
function offerReport(
  ctx: Context,
  { renderer }: InteractionDeps,
  step: Step,
  report: string,
): void {
  renderer.page(ctx, 'pages/message', {
    kind: 'passkey_waits',
    actions: [
      { href: step.url('login'), label: 'sign_in' },
      { href: reportPath(report), label: 'secure_account' },
    ],
  })
}

/** What keeps a passkey that nobody has here may forget it; after any other refusal it must not. */
function signalOf(error: unknown): PasskeySignal | undefined {
  if (!(error instanceof AppError) || error.code !== 'passkey_unknown') return undefined
  return { signalUnknownCredential: Object(error.details.extra?.['signal']) as object }
}
