import type { Context } from 'koa'
import { type CanonicalEmail, canonicalEmail } from '../../accounts/canonical-email.ts'
import { upstreamProof } from '../../accounts/factors/methods/upstream.ts'
import type { AskedAddress } from '../../accounts/identities/address-proof.ts'
import type { Meeting } from '../../accounts/identities/meetings.ts'
import { personName } from '../../accounts/person-name.ts'
import type { Candidate } from '../../accounts/registration/candidates.ts'
import { AppError } from '../../errors.ts'
import { bindingTo } from '../../upstream/flows.ts'
import type { LiveProvider } from '../../upstream/providers.ts'
import { isHalfway } from '../middleware/reserving-limit.ts'
import { originOf } from '../state.ts'
import { termsBox, tickedTerms } from '../terms-box.ts'
import { finishSignIn } from './finish.ts'
import { secondStepAfter } from './half-way.ts'
import { bindingOf, type InteractionDeps, type Step } from './interaction.ts'
import { staysRemembered } from './known-person.ts'
import { type Newcomer, type Waiting, withoutArrival } from './newcomer.ts'
import { shownInvitation } from './who-may-register.ts'

/** Where a meeting leads: signed in, to an account, or to what the person is asked next. */
export async function follow(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  newcomer: Newcomer,
  meeting: Meeting,
): Promise<void> {
  const { id, providerId, person } = newcomer.arrived
  const wait = (rest: Omit<Waiting, 'id' | 'providerId'>) =>
    // Nothing else is under way once somebody has arrived.
    step.goOn({ arrival: { id, providerId, ...rest } as Waiting })
  switch (meeting.kind) {
    case 'known':
      return signInKnown(ctx, deps, step, newcomer, meeting.account)
    case 'connect':
      return wait({ stage: 'connect', email: meeting.email })
    case 'unproven': {
      if (meeting.email === undefined) return wait({ stage: 'address' })
      const { tokenId } = await askCode(ctx, deps, step, newcomer, { email: meeting.email })
      return wait({ stage: 'code', email: meeting.email, tokenId })
    }
    case 'new': {
      const { email } = meeting
      const name = personName(person.name ?? '')
      if (name !== undefined && termsBox(ctx, deps)?.isTicked !== false)
        return openFor(ctx, deps, step, newcomer, { name, email })
      refuseNewcomers(newcomer.provider)
      await deps.registration.admit(await candidateOf(ctx, deps, step, newcomer, email))
      return wait({ stage: 'name', email })
    }
  }
}

/** A code to the address that the provider does not vouch for. */
export async function askCode(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  { provider, arrived }: Newcomer,
  {
    email: submitted = '',
    ...asking
  }: { email?: string | undefined } & Pick<AskedAddress, 'page' | 'isSuspected'>,
): Promise<{ tokenId: string; email: string }> {
  const email = canonicalEmail(submitted)
  if (!email) throw new AppError('invalid_input', { fields: { email: 'invalid_email' } })
  const { tokenId } = await deps.addressProof.ask(
    {
      arrivalId: arrived.id,
      ...(await candidateOf(ctx, deps, step, { arrived }, email)),
      locale: deps.renderer.locale(ctx),
      mayJoin: takesNewcomers(provider),
      ...asking,
    },
    originOf(ctx),
  )
  return { tokenId, email }
}

/** A new account for the newcomer, who is signed in with it. */
export async function openFor(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  { provider, arrived }: Newcomer,
  { name, email: proven }: { readonly name: string; readonly email: string },
): Promise<void> {
  const email = canonicalEmail(proven)
  if (!email) throw new AppError('interaction_expired')
  refuseNewcomers(provider)
  const candidate = await candidateOf(ctx, deps, step, { arrived }, email)
  const locale = deps.renderer.locale(ctx)
  const wanted = { ...candidate, name, locale, termsVersion: tickedTerms(ctx) }
  const opened = await deps.joining.open(arrived, wanted, originOf(ctx))
  if (candidate.invitation !== undefined) deps.invitationCookie.write(ctx, null)
  await finishSignIn(ctx, deps, withoutArrival(step), {
    ...opened,
    proofs: [upstreamProof(arrived.person.amr)],
    isRemembered: false,
    upstream: { providerId: provider.id, sid: arrived.person.sid },
  })
}

const takesNewcomers = ({ settings }: LiveProvider): boolean => settings.signUp !== 'never'

function refuseNewcomers(provider: LiveProvider): void {
  if (!takesNewcomers(provider)) throw new AppError('registration_closed')
}

/** Who wants an account, with the invitation that this browser has opened. */
async function candidateOf(
  ctx: Context,
  deps: InteractionDeps,
  { app }: Step,
  { arrived: { providerId } }: Pick<Newcomer, 'arrived'>,
  email: CanonicalEmail,
): Promise<Candidate> {
  const invitation = (await shownInvitation(ctx, deps))?.id
  return { email, clientId: app.client.clientId, invitation, providerId }
}

/** The second step follows where the account takes two factors (TF-06). */
async function signInKnown(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  { provider, arrived: { id, person }, known }: Newcomer,
  account: Extract<Meeting, { kind: 'known' }>['account'],
): Promise<void> {
  const binding = bindingTo('interaction', step.uid)
  // Of two requests with one arrival, one goes on.
  if (!(await deps.arrivals.take(id, binding))) throw new AppError('interaction_expired')
  const upstream = { providerId: provider.id, sid: person.sid }
  const isRemembered = staysRemembered(known, account.id, false)
  const first = {
    account,
    proofs: [upstreamProof(person.amr)],
    binding: bindingOf(step),
    origin: originOf(ctx),
    device: step.policy.takesTrust ? deps.deviceCookie.read(ctx) : undefined,
    upstream,
  }
  const outcome = await deps.firstStep.proceed(first, (proven) =>
    finishSignIn(ctx, deps, step, { ...proven, isRemembered, upstream }),
  )
  if (outcome.status === 'signed_in') return
  isHalfway(ctx)
  const { arrival } = step.state
  const connecting = arrival?.stage === 'connect' ? { arrival } : {}
  const mfa = secondStepAfter(outcome, isRemembered)
  await step.goOn({ ...connecting, mfa, came: upstream })
}
