import type { Context } from 'koa'
import { z } from 'zod'
import { createCookie } from '../cookies.ts'

/** Open: what a later version has put in stays in. */
const Flow = z.looseObject({
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
  const cookie = createCookie(name, { isHttps, isSigned: true, maxAgeMs: 3_600_000 })
  return {
    read(ctx) {
      const value = cookie.read(ctx)
      if (!value) return undefined
      const parsed = Flow.safeParse(JSON.parse(Buffer.from(value, 'base64url').toString('utf8')))
      return parsed.success ? parsed.data : undefined
    },
    write: (ctx, flow) =>
      cookie.write(ctx, Buffer.from(JSON.stringify(flow)).toString('base64url')),
    clear: (ctx) => cookie.write(ctx, null),
  }
}
