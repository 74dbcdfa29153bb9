import { z } from 'zod'
import type { CameBy } from '../accounts/came-by.ts'
import { acrFor, amrOf, hasTakenSecondStep, levelOf } from '../accounts/factors/levels.ts'
import type { Proof } from '../accounts/factors/method.ts'
import { broughtTwo } from '../accounts/factors/methods/upstream.ts'

const Upstream = z.looseObject({ providerId: z.string(), sid: z.string().optional() })

/** A finished sign-in. */
export interface SignedIn {
  readonly accountId: string
  /** What was shown, step by step. */
  readonly proofs: readonly Proof[]
  /** "Remember this device": a session of 30 days instead of one that ends with the browser. */
  readonly isRemembered: boolean
  readonly upstream?: CameBy | undefined
  /** The trusted device that did for the second step. */
  readonly trustedBy?: string | undefined
  /** The passkey that was shown, for the trail. */
  readonly passkeyId?: string | undefined
}

/** A finished sign-in in the result of an interaction, as the provider's resume step takes it. */
export function signInResult(signedIn: SignedIn) {
  const { accountId, proofs, isRemembered, upstream, trustedBy, passkeyId } = signedIn
  const login = {
    accountId,
    amr: amrOf(proofs),
    acr: acrFor(levelOf(proofs)),
    remember: isRemembered,
    ts: Math.floor(Date.now() / 1000),
  }
  return {
    login,
    isSignIn: true,
    hasSecondFactor: hasTakenSecondStep(proofs),
    ...(upstream ? { upstream, broughtTwo: broughtTwo(proofs) } : {}),
    trustedBy,
    ...(passkeyId ? { passkeyId } : {}),
    create: {},
    select_account: {},
  }
}

/** Open for members of newer versions. What cannot be read says nothing, and lets nobody through. */
const Result = z
  .looseObject({
    login: z.unknown(),
    isSignIn: z.boolean().optional(),
    hasSecondFactor: z.boolean().optional(),
    upstream: Upstream.optional().catch(undefined),
    broughtTwo: z.boolean().optional(),
    trustedBy: z.string().optional().catch(undefined),
    passkeyId: z.string().optional().catch(undefined),
  })
  .catch({ login: undefined })

export interface ToldSignIn {
  /** Somebody signed in on the way through this interaction. */
  readonly hasLogin: boolean
  /** They did so just now, and no session is known of it yet. */
  readonly isNew: boolean
  readonly hasTakenSecondStep: boolean
  readonly upstream: CameBy | undefined
  /** What the provider said of two factors counted. */
  readonly broughtTwo: boolean
  readonly trustedBy: string | undefined
  readonly passkeyId: string | undefined
}

export function toldSignIn(result: unknown): ToldSignIn {
  const { login, isSignIn, hasSecondFactor, ...told } = Result.parse(result ?? {})
  return {
    hasLogin: login !== undefined,
    isNew: isSignIn === true,
    hasTakenSecondStep: hasSecondFactor === true,
    upstream: told.upstream,
    broughtTwo: told.broughtTwo === true,
    trustedBy: told.trustedBy,
    passkeyId: told.passkeyId,
  }
}

/**
 * What the next prompt of the request takes over: its `login` too, but that is no new sign-in. What
 * its level rests on stays with it, `hasSecondFactor` and `trustedBy`; a new sign-in says its own.
 */
export function takenOver(result: unknown): Record<string, unknown> {
  const {
    gatehouse: _ours,
    isSignIn: _told,
    upstream: _by,
    broughtTwo: _two,
    passkeyId: _key,
    ...rest
  } = (result ?? {}) as Record<string, unknown>
  return rest
}
