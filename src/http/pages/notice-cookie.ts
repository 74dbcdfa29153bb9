import type { Context } from 'koa'
import { cookieName } from '../../config/cookie-names.ts'
import { NOTICE_KINDS, type NoticeKind } from '../../views/views.ts'

/**
 * Carries one confirmation over a redirect; signed, so that no link can make a page say what did
 * not happen.
 */
export interface NoticeCookie {
  /** The notice, once. */
  take(ctx: Context): NoticeKind | undefined
  leave(ctx: Context, notice: NoticeKind): void
}

const LIFETIME_MS = 60_000

export function createNoticeCookie({ isHttps }: { isHttps: boolean }): NoticeCookie {
  const name = cookieName('notice', { isHttps })
  const options = {
    signed: true,
    httpOnly: true,
    sameSite: 'lax',
    secure: isHttps,
    path: '/',
    overwrite: true,
  } as const
  return {
    take(ctx) {
      const value = ctx.cookies.get(name, { signed: true })
      if (value === undefined) return undefined
      ctx.cookies.set(name, null, options)
      return NOTICE_KINDS.find((kind) => kind === value)
    },
    leave: (ctx, notice) => {
      ctx.cookies.set(name, notice, { ...options, maxAge: LIFETIME_MS })
    },
  }
}
