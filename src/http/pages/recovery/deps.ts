import type { Context } from 'koa'
import type { SignInPolicy } from '../../../accounts/factors/sign-in-policy.ts'
import type { RecoveryHolds } from '../../../accounts/recovery/holds.ts'
import type { Allows, Pass } from '../../../accounts/recovery/passes.ts'
import type { Recovery } from '../../../accounts/recovery/recovery.ts'
import type { Regaining } from '../../../accounts/recovery/regaining.ts'
import type { Interactions } from '../../../oidc/interactions.ts'
import { createCookie } from '../../cookies.ts'
import type { DeviceCookie } from '../../device-cookie.ts'
import type { Csrf } from '../../middleware/csrf.ts'
import type { RateLimit } from '../../middleware/rate-limit.ts'
import type { AskingApp, Renderer } from '../../renderer.ts'
import { seeOther } from '../../see-other.ts'
import type { FlowCookie } from '../flow-cookie.ts'
import { appOf } from '../left-sign-in.ts'

export interface RecoveryPagesDeps {
  readonly recovery: Recovery
  readonly recoveryHolds: RecoveryHolds
  readonly regaining: Regaining
  readonly interactions: Interactions
  readonly signInPolicy: SignInPolicy
  readonly renderer: Renderer
  readonly csrf: Csrf
  readonly limit: RateLimit
  readonly deviceCookie: DeviceCookie
  /** Which recovery this browser has begun: the page and the address, no secret. */
  readonly recoveryFlow: FlowCookie
  readonly recoveryPass: PassCookie
}

/** What this browser has shown. */
export interface PassCookie {
  /** The secret, if it allows this. */
  read(ctx: Context, allows: Allows): string | undefined
  /** `null` ends it. */
  write(ctx: Context, pass: Pass | null): void
}

export function createPassCookie({ isHttps }: { isHttps: boolean }): PassCookie {
  const cookie = createCookie('recovery', { isHttps, isSigned: true, maxAgeMs: 3_600_000 })
  return {
    read(ctx, allows) {
      const [kind, secret] = cookie.read(ctx)?.split('.') ?? []
      return kind === allows ? secret : undefined
    },
    write: (ctx, pass) => cookie.write(ctx, pass && `${pass.allows}.${pass.secret}`),
  }
}

/** On to the page that a pass is for. */
export function goOnWith(ctx: Context, { recoveryPass }: RecoveryPagesDeps, pass: Pass): void {
  recoveryPass.write(ctx, pass)
  seeOther(ctx, pass.allows === 'recover_grant' ? '/recover/new' : '/recover/next')
}

/** The app that the person was on the way to. */
export function leftApp(
  ctx: Context,
  { interactions, recoveryFlow }: RecoveryPagesDeps,
): Promise<AskingApp | undefined> {
  return appOf(interactions, recoveryFlow.read(ctx)?.interaction)
}
