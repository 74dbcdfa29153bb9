import { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider'
import type { GroupClaims } from './claims/group-claims.ts'
import { groupsNow, introspectedGroups } from './claims/token-groups.ts'
import type { FindAccount } from './find-account.ts'
import { sessionOf } from './standing.ts'
import { type Authentication, saying } from './tokens/authentication.ts'
import { ASKED_ABOUT, judgedApi } from './tokens/returned-jwts.ts'
import { currentUnit } from './trips/request-unit.ts'

type Params = Record<string, unknown>
interface Asking {
  readonly issuer: string
  readonly ctx: {
    readonly req: { readonly headers: Readonly<Record<string, unknown>> }
    set(header: string, value: string): void
  }
}

/** Ways of a client to say who it is. */
const NAMES = ['client_id', 'client_assertion', 'client_secret']

/**
 * Reads the request before the library does: who does not say who asks is 401 (RFC 7662 2.3). A JWT,
 * for which the library has an error of its own, is asked for by a name that the storage knows.
 */
export function readIntrospection({ ctx, issuer }: Asking, params: Params): void {
  if (ctx.req.headers['authorization'] === undefined && NAMES.every((name) => !params[name])) {
    ctx.set('WWW-Authenticate', `Basic realm="${issuer}"`)
    throw new errors.InvalidClientAuth('no client authentication')
  }
  const unit = currentUnit()
  const { token } = params
  if (!unit || typeof token !== 'string' || !token.includes('.')) return
  unit.jwt = token
  params['token'] = ASKED_ABOUT
}

export interface IntrospectionDeps {
  readonly findAccount: FindAccount
  readonly groupClaims: GroupClaims
}

interface Found {
  readonly kind: string
  readonly clientId?: string | undefined
  readonly accountId?: string | undefined
  readonly aud?: string | string[] | undefined
  readonly scope?: string | undefined
  readonly scopes: ReadonlySet<string>
  extra?: object | undefined
}

/**
 * TK-09: a caller sees its own tokens, and of JWTs those whose audience it serves. What the
 * answer has besides is read now, not when the token was issued.
 */
export function introspectionPolicy({ findAccount, groupClaims }: IntrospectionDeps) {
  return async (ctx: KoaContextWithOIDC, client: Client, token: Found): Promise<boolean> => {
    if (currentUnit()?.jwt === undefined) {
      if (!isOwnToken(client, token)) return false
      token.extra = { ...token.extra, ...(await introspectedGroups(groupClaims, client, token)) }
      return true
    }
    const api = await judgedApi()
    if (api?.servedBy !== client.clientId || client.clientAuthMethod === 'none') return false
    const owner = await ctx.oidc.provider.Client.find(token.clientId ?? '')
    // The engine relies on its being there.
    if (!owner) return false
    const username = await usernameOf(findAccount, token)
    const groups = api.includesGroups ? await groupsNow(groupClaims, owner, token) : {}
    const { acr, auth_time: authTime } = (token.extra ?? {}) as Authentication
    token.extra = {
      ...saying(acr, authTime),
      ...(username === undefined ? {} : { username }),
      ...groups,
    }
    return true
  }
}

/** Of a token that is stored. */
export function isOwnToken({ clientId }: Pick<Client, 'clientId'>, token: Pick<Found, 'clientId'>) {
  return token.clientId === clientId
}

/** How the person is called (RFC 7662 2.2), where the scope of the token tells it at userinfo too. */
async function usernameOf(findAccount: FindAccount, token: Found): Promise<unknown> {
  if (!token.accountId || !token.scopes.has('profile')) return undefined
  const account = await findAccount(token.accountId, sessionOf(token))
  const claims = await account?.claims('userinfo', [...token.scopes].join(' '), {}, [])
  return claims?.['preferred_username']
}
