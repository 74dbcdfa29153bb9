import type { Context } from 'koa'
import { z } from 'zod'
import { cookieName } from '../../config/cookie-names.ts'

const Flow = z.strictObject({
  tokenId: z.string().max(128),
  email: z.string().max(254),
  /** The app's sign-in that it began in. */
  interaction: z.string().max(64).optional(),
})
export type Flow = z.infer<typeof Flow>

/**
 * A signed cookie with the place of a browser in a flow that needs no session; it names, it does
 * not prove.
 */
export interface FlowCookie {
  read(ctx: Context): Flow | undefined
  write(ctx: Context, flow: Flow): void
  clear(ctx: Context): void
}

export function createFlowCookie(name: string, { isHttps }: { isHttps: boolean }): FlowCookie {
  const full = cookieName(name, { isHttps })
  const options = {
    signed: true,
    httpOnly: true,
    sameSite: 'lax',
    secure: isHttps,
    path: '/',
    overwrite: true,
  } as const
  return {
    read(ctx) {
      const value = ctx.cookies.get(full, { signed: true })
      if (!value) return undefined
      const parsed = Flow.safeParse(JSON.parse(Buffer.from(value, 'base64url').toString('utf8')))
      return parsed.success ? parsed.data : undefined
    },
    write: (ctx, flow) => {
      ctx.cookies.set(full, Buffer.from(JSON.stringify(flow)).toString('base64url'), {
        ...options,
        maxAge: 3_600_000,
      })
    },
    clear: (ctx) => {
      ctx.cookies.set(full, null, options)
    },
  }
}
