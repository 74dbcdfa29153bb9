import type { Context } from 'koa'
import { cookieName } from '../config/cookie-names.ts'

const DAY_MS = 86_400_000
const KEPT = 8

const nameIn = ({ secure }: Context): string => cookieName('started', { isHttps: secure })

function read(ctx: Context): (readonly [uid: string, clientId: string])[] {
  const value = ctx.cookies.get(nameIn(ctx), { signed: true })
  if (!value || value.length > 4096) return []
  return value.split('.').map((entry) => {
    const [uid = '', clientId = ''] = entry.split(':')
    return [uid, Buffer.from(clientId, 'base64url').toString('utf8')]
  })
}

/** The app of a sign-in that this browser began within a day; it names, it proves nothing else. */
export function startedBy(ctx: Context, uid: string): string | undefined {
  return read(ctx).find(([known]) => known === uid)?.[1]
}

/**
 * One cookie for the last few sign-ins of this browser, beside those that bind each to it: they end
 * with it.
 */
export function rememberStarted(ctx: Context, uid: string, clientId: string): void {
  const all = [[uid, clientId] as const, ...read(ctx).filter(([known]) => known !== uid)].slice(
    0,
    KEPT,
  )
  const value = all
    .map(([each, client]) => `${each}:${Buffer.from(client).toString('base64url')}`)
    .join('.')
  ctx.cookies.set(nameIn(ctx), value, {
    signed: true,
    httpOnly: true,
    sameSite: 'lax',
    secure: ctx.secure,
    path: '/',
    maxAge: DAY_MS,
    overwrite: true,
  })
}
