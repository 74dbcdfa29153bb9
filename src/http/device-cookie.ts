import type { Context } from 'koa'
import { cookieName } from '../config/cookie-names.ts'

/** The cookie by which a browser is known to its owner's accounts; it opens nothing (RL-03, TF-12). */
export interface DeviceCookie {
  read(ctx: Context): string | undefined
  write(ctx: Context, device: string): void
}

const YEAR_MS = 365 * 86_400_000

export function createDeviceCookie({ isHttps }: { isHttps: boolean }): DeviceCookie {
  const name = cookieName('device', { isHttps })
  return {
    read: (ctx) => {
      const value = ctx.cookies.get(name, { signed: true })
      return value && value.length <= 64 ? value : undefined
    },
    write: (ctx, device) => {
      ctx.cookies.set(name, device, {
        signed: true,
        httpOnly: true,
        sameSite: 'lax',
        secure: isHttps,
        path: '/',
        maxAge: YEAR_MS,
        overwrite: true,
      })
    },
  }
}
