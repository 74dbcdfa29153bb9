import type { Context } from 'koa'
import { cookieName } from '../config/cookie-names.ts'

export interface CookieOptions {
  /** Whether a browser must not be able to invent a value. */
  readonly isSigned: boolean
  /** How long a browser keeps it, in milliseconds. Until it is closed, unless given. */
  readonly maxAgeMs?: number
}

/** A cookie of ours. */
export interface Cookie {
  read(ctx: Context): string | undefined
  /** `null` ends it. */
  write(ctx: Context, value: string | null): void
}

/**
 * A cookie by its full name. All of ours are for this host and all its paths, out of reach of
 * scripts, and not sent with what another site posts (SE-03).
 */
export function createNamedCookie(name: string, options: CookieOptions): Cookie {
  const { isSigned: signed, maxAgeMs } = options
  return {
    read: (ctx) => ctx.cookies.get(name, { signed }),
    write: (ctx, value) => {
      ctx.cookies.set(name, value, {
        ...guarded(ctx),
        signed,
        path: '/',
        overwrite: true,
        ...(maxAgeMs !== undefined && value !== null ? { maxAge: maxAgeMs } : {}),
      })
    },
  }
}

/** A cookie by its short name, which gets the prefix that the issuer's scheme asks for. */
export function createCookie(
  name: string,
  options: CookieOptions & { readonly isHttps: boolean },
): Cookie {
  return createNamedCookie(cookieName(name, options), options)
}

/** Ends a signed cookie that the engine has set for one path. */
export function forgetCookie(ctx: Context, name: string, path: string): void {
  ctx.cookies.set(name, null, { ...guarded(ctx), signed: true, path })
}

function guarded({ secure }: Context) {
  return { httpOnly: true, sameSite: 'lax', secure } as const
}
