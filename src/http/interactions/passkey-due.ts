import type { Context } from 'koa'
import type { Method } from '../../accounts/factors/method.ts'
import { PASSKEY } from '../../accounts/factors/methods/passkey.ts'
import { SECURITY_KEY } from '../../accounts/factors/methods/security-key.ts'
import { UPSTREAM } from '../../accounts/factors/methods/upstream.ts'
import { settingsOf } from '../../oidc/clients/settings.ts'
import type { InteractionState } from '../../oidc/interaction-state.ts'
import type { InteractionDeps, Proven, Step } from './interaction.ts'
import { kept } from './kept-proof.ts'

export type Offer = NonNullable<InteractionState['offer']>

/** Who has shown a key has one, and who comes from another provider needs none. */
const WANT_NONE: readonly Method[] = [PASSKEY, SECURITY_KEY, UPSTREAM]

/**
 * The passkey that a sign-in lacks: one that is demanded, of an account that has none. Who has one
 * shows that one: a sign-in of a lower level must not add another (PK-06).
 */
export async function demandedPasskey(
  { passkeys, signInPolicy }: InteractionDeps,
  proven: Proven,
): Promise<Offer | undefined> {
  if (!signInPolicy.offersPasskeys || (await passkeys.list(proven.accountId)).length > 0)
    return undefined
  return { ...kept(proven), isRequired: true, isDone: false }
}

/** The same beside an app, where a second factor is demanded and a passkey may be one. */
export async function secondPasskey(
  deps: InteractionDeps,
  proven: Proven,
): Promise<Offer | undefined> {
  return deps.signInPolicy.offers('passkey', {}, 'second')
    ? demandedPasskey(deps, proven)
    : undefined
}

/**
 * What is offered once after a sign-in without a passkey (UX-22): to who has none, in a browser that
 * can make one, unless they have said "not now" in it lately or only confirm who they are.
 */
export async function offeredPasskey(
  ctx: Context,
  { deviceCookie, devices, passkeys, signInPolicy }: InteractionDeps,
  { app, interaction }: Step,
  proven: Proven,
): Promise<Offer | undefined> {
  const { accountId, proofs, trustedBy } = proven
  const { session } = interaction as { session?: { accountId?: string } }
  if (
    ctx.state.form?.['passkeys'] !== '1' ||
    session?.accountId === accountId ||
    // One factor of an account that takes two adds no way in.
    trustedBy !== undefined ||
    proofs.some((method) => WANT_NONE.includes(method)) ||
    !signInPolicy.offers('passkey', settingsOf(app.client)) ||
    (await devices.hasDeclinedPasskey(accountId, deviceCookie.read(ctx))) ||
    (await passkeys.list(accountId)).length > 0
  )
    return undefined
  return { ...kept(proven), isRequired: false, isDone: false }
}

/** For a new account that has no way in yet. */
export function firstPasskey(proven: Proven): Offer {
  return { ...kept(proven), isRequired: false, isFirst: true, isDone: false }
}
