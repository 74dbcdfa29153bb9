import type { Context } from 'koa'
import { bindingCookies } from '../config/cookie-names.ts'
import { ENDPOINTS } from '../oidc/endpoints.ts'
import { createCookie, forgetCookie } from './cookies.ts'

const DAY_MS = 86_400_000
/** Each has four cookies; a browser that is asked to keep too many forgets others of ours. */
const UNDER_WAY = 5
/** Of one that is not under way any more: enough to know it again. */
const SHORT = 8
/** The head of an answer has to fit into the 4 kB that proxies take. */
const MAX_LENGTH = 1000

interface SignIn {
  /** Whole while it is under way. */
  readonly uid: string
  readonly clientId: string
}

const listIn = ({ secure }: Context) =>
  createCookie('started', { isHttps: secure, isSigned: true, maxAgeMs: DAY_MS })
const isUnderWay = ({ uid }: SignIn): boolean => uid.length > SHORT

/** The app of a sign-in that this browser began within a day; it names, it proves nothing else. */
export function startedBy(ctx: Context, uid: string): string | undefined {
  return read(ctx).find((known) => uid.startsWith(known.uid))?.clientId
}

/** The one that this browser began last and that is not over yet. */
export function lastUnderWay(ctx: Context): string | undefined {
  return read(ctx).find(isUnderWay)?.uid
}

/**
 * One cookie names the last sign-ins of this browser. Those that bind each sign-in to it are kept
 * for the last five that are under way.
 */
export function noteSignIns(
  ctx: Context,
  {
    begun,
    endedUid,
  }: { readonly begun?: SignIn | undefined; readonly endedUid?: string | undefined },
): void {
  const known = read(ctx)
  if (begun ? known.some(({ uid }) => uid === begun.uid) : endedUid === undefined) return
  let places = UNDER_WAY
  const all = [...(begun ? [begun] : []), ...known].map((each) => {
    if (!isUnderWay(each)) return each
    if (each.uid !== endedUid && places > 0) {
      places -= 1
      return each
    }
    forgetBinding(ctx, each)
    return { ...each, uid: each.uid.slice(0, SHORT) }
  })
  listIn(ctx).write(ctx, textOf(all))
}

function forgetBinding(ctx: Context, { uid }: SignIn): void {
  const { interaction, resume } = bindingCookies({ isHttps: ctx.secure })
  forgetCookie(ctx, interaction, `/interaction/${uid}`)
  forgetCookie(ctx, resume, `${ENDPOINTS.authorization.path}/${uid}`)
}

/** `uid:client.uid.uid:client`: newest first, without the client where it is that of the one before. */
function read(ctx: Context): readonly SignIn[] {
  const value = listIn(ctx).read(ctx)
  if (!value || value.length > 4096) return []
  const found: SignIn[] = []
  for (const entry of value.split('.')) {
    const [uid = '', client] = entry.split(':')
    const clientId =
      client === undefined ? found.at(-1)?.clientId : Buffer.from(client, 'base64url').toString()
    found.push({ uid, clientId: clientId ?? '' })
  }
  return found
}

function textOf(all: readonly SignIn[]): string {
  const value = all
    .map(({ uid, clientId }, index) =>
      clientId === all[index - 1]?.clientId
        ? uid
        : `${uid}:${Buffer.from(clientId).toString('base64url')}`,
    )
    .join('.')
  const oldest = all.findLastIndex((each) => !isUnderWay(each))
  return value.length <= MAX_LENGTH || oldest < 0 ? value : textOf(all.toSpliced(oldest, 1))
}
