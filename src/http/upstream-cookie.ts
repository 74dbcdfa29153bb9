import type { Context } from 'koa'
import { LIFETIMES } from '../config/limits.ts'
import { randomToken } from '../crypto/token.ts'
import { createCookie } from './cookies.ts'

/** Names the browser that has gone to a provider: only it may bring the answer back (UP-07). */
export interface UpstreamCookie {
  read(ctx: Context): string | undefined
  /** The one that the browser has, so that sign-ins in several tabs do not end each other. */
  keep(ctx: Context): string
}

export function createUpstreamCookie({ isHttps }: { isHttps: boolean }): UpstreamCookie {
  const maxAgeMs = LIFETIMES.upstreamFlow * 1000
  const cookie = createCookie('upstream', { isHttps, isSigned: true, maxAgeMs })
  const read = (ctx: Context): string | undefined => {
    const value = cookie.read(ctx)
    return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined
  }
  return {
    read,
    keep(ctx) {
      const value = read(ctx) ?? randomToken()
      cookie.write(ctx, value)
      return value
    },
  }
}
