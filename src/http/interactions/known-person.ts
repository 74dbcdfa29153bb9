import type { Context } from 'koa'
import { textsOf } from '../form.ts'
import type { InteractionDeps, Step } from './interaction.ts'

/** Whose session this browser has, when the app asks it to sign in again. */
export interface KnownPerson {
  readonly accountId: string
  readonly email: string
  readonly isRemembered: boolean
  /**
   * They confirm who they are; signing in as somebody else takes a link of its own, and begins a
   * session of its own.
   */
  readonly isFixed: boolean
}

export const OTHER = '?account=other'
export const isOther = (ctx: Context): boolean => ctx.query['account'] === 'other'

/** Reasons for a login that are about how or when this very person signed in. */
const ABOUT_THIS_PERSON = new Set(['max_age', 'acr', 'require_mfa', 'session_over'])
/** An ID token or claim that names somebody: the session's account may be the wrong one. */
const ABOUT_ANOTHER = new Set(['id_token_hint', 'claims_id_token_sub_value', 'no_session'])

export async function findKnownPerson(
  ctx: Context,
  { accounts, sessions }: InteractionDeps,
  { interaction }: Step,
): Promise<KnownPerson | undefined> {
  const { prompt, session, params } = interaction as typeof interaction & {
    session?: { uid?: string; accountId?: string }
  }
  if (
    isOther(ctx) ||
    prompt.name !== 'login' ||
    !session?.uid ||
    prompt.reasons.some((reason) => ABOUT_ANOTHER.has(reason))
  )
    return undefined
  const row = await sessions.find(session.uid)
  const account = row && (await accounts.findActive(row.account.id))
  if (!account) return undefined
  const hint = params['login_hint']
  const isMeant = hint === undefined || hint === account.email
  const isFixed =
    isMeant &&
    !prompt.reasons.includes('login_prompt') &&
    prompt.reasons.some((reason) => ABOUT_THIS_PERSON.has(reason))
  return { accountId: account.id, email: account.email, isRemembered: row.isRemembered, isFixed }
}

/** Who is at a form that asks for an address, and whose address it is: who confirms has only one. */
export interface Asking {
  readonly known: KnownPerson | undefined
  readonly email: string
}

export async function whoAsks(ctx: Context, deps: InteractionDeps, step: Step): Promise<Asking> {
  const known = await findKnownPerson(ctx, deps, step)
  return { known, email: known?.isFixed ? known.email : textsOf(ctx, 'username').username }
}

/** For whom a ticked "remember this device" counts; a box that the session has ticked, for nobody else (SE-04). */
export interface Remembering {
  readonly isRemembered: boolean
  readonly rememberedFor?: string | undefined
}

export function rememberingOf(known: KnownPerson | undefined, isTicked: boolean): Remembering {
  if (known?.isFixed) return { isRemembered: known.isRemembered, rememberedFor: known.accountId }
  return {
    isRemembered: isTicked,
    rememberedFor: known?.isRemembered ? known.accountId : undefined,
  }
}

export function isRememberedFor(
  { isRemembered, rememberedFor }: Remembering,
  accountId: string,
): boolean {
  return isRemembered && (rememberedFor ?? accountId) === accountId
}

/** The same in one request. */
export function staysRemembered(
  known: KnownPerson | undefined,
  accountId: string,
  isTicked: boolean,
): boolean {
  return isRememberedFor(rememberingOf(known, isTicked), accountId)
}
