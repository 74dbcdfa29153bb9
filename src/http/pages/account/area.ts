import type { Context } from 'koa'
import type { AccountArea } from '../../../views/views.ts'
import type { Csrf } from '../../middleware/csrf.ts'
import type { Renderer } from '../../renderer.ts'
import type { NoticeCookie } from '../notice-cookie.ts'
import { visitorOf } from './session.ts'

/** What every page of the area draws with. */
export interface AreaDeps {
  readonly renderer: Renderer
  readonly csrf: Csrf
  readonly notices: NoticeCookie
}

/** Whose area it is, the way out, and what was just done. */
export function areaOf(ctx: Context, { csrf, notices }: AreaDeps): AccountArea {
  const { account, recoveryOpensAt: opensAt } = visitorOf(ctx)
  const { name, email } = account
  const notice = notices.take(ctx)
  const token = csrf.token(ctx)
  return {
    person: { name, email },
    signOut: { action: '/account/sign-out', csrf: token },
    ...(opensAt ? { recovery: { action: '/account/recovery/stop', csrf: token, opensAt } } : {}),
    ...(notice ? { notice } : {}),
  }
}
