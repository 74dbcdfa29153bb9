import type { Context } from 'koa'
import { createCookie } from './cookies.ts'

/** The cookie by which a browser is known to its owner's accounts; it opens nothing (RL-03, TF-12). */
export interface DeviceCookie {
  read(ctx: Context): string | undefined
  write(ctx: Context, device: string): void
}

const YEAR_MS = 365 * 86_400_000

export function createDeviceCookie({ isHttps }: { isHttps: boolean }): DeviceCookie {
  const cookie = createCookie('device', { isHttps, isSigned: true, maxAgeMs: YEAR_MS })
  return {
    read: (ctx) => {
      const value = cookie.read(ctx)
      return value && value.length <= 64 ? value : undefined
    },
    write: (ctx, device) => cookie.write(ctx, device),
  }
}
