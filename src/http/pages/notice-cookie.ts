import type { Context } from 'koa'
import { NOTICE_KINDS, type NoticeKind } from '../../views/views.ts'
import { createCookie } from '../cookies.ts'

/**
 * Carries one confirmation over a redirect; signed, so that no link can make a page say what did
 * not happen.
 */
export interface NoticeCookie {
  /** The notice, once. */
  take(ctx: Context): NoticeKind | undefined
  leave(ctx: Context, notice: NoticeKind): void
}

export function createNoticeCookie({ isHttps }: { isHttps: boolean }): NoticeCookie {
  const cookie = createCookie('notice', { isHttps, isSigned: true, maxAgeMs: 60_000 })
  return {
    take(ctx) {
      const value = cookie.read(ctx)
      if (value === undefined) return undefined
      cookie.write(ctx, null)
      return NOTICE_KINDS.find((kind) => kind === value)
    },
    leave: (ctx, notice) => cookie.write(ctx, notice),
  }
}
