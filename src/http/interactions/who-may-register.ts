import type { Context } from 'koa'
import { canonicalEmail } from '../../accounts/canonical-email.ts'
import { sha256 } from '../../crypto/token.ts'
import type { Invitation } from '../../entities/index.ts'
import { settingsOf } from '../../oidc/clients/settings.ts'
import type { RegistrationModel } from '../../views/views.ts'
import { maskedEmail } from '../masked-email.ts'
import type { InteractionDeps, Step } from './interaction.ts'

/** Who may register through the app that asks, and what an invitation changes about it. */
export function offerOf(
  { registration }: InteractionDeps,
  { app }: Step,
  invitation?: Invitation,
): RegistrationModel {
  const offer = registration.offer(settingsOf(app.client).registration)
  if (!invitation || offer.mode === 'closed') return offer
  const { email, isMailed } = invitation
  if (email == null) return { mode: 'open' }
  return { mode: 'open', invited: isMailed ? email : maskedEmail(email), isFixed: isMailed }
}

/** Where an account is made, if this person may make one. */
export function signUpHref(ctx: Context, deps: InteractionDeps, step: Step): string | undefined {
  const { mode } = offerOf(deps, step)
  const isOpen = mode === 'open' || mode === 'domains'
  const mayBeInvited = mode === 'invite' && deps.invitationCookie.read(ctx) !== undefined
  return isOpen || mayBeInvited ? step.url('sign-up') : undefined
}

/** The invitation that this browser has opened, while it can be used. */
export async function shownInvitation(
  ctx: Context,
  { invitations, invitationCookie }: InteractionDeps,
): Promise<Invitation | undefined> {
  const secret = invitationCookie.read(ctx)
  return secret === undefined ? undefined : invitations.find({ digest: sha256(secret) })
}

/** Whether the invitation itself proves this address: it was mailed to it. */
export function provesAddress(invitation: Invitation | undefined, email: string): boolean {
  return invitation?.isMailed === true && canonicalEmail(email) === invitation.email
}
