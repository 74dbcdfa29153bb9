import { decodeJwt } from 'jose'
import type { Provider } from 'oidc-provider'
import type { AdapterPayload, StoreAdapter } from '../adapters/adapter.ts'
import { decorated } from '../adapters/decorated.ts'
import { apiResource } from '../clients/built-in-clients.ts'
import type { ClientDirectory } from '../clients/directory.ts'
import type { RegisteredResource } from '../clients/resource-servers.ts'
import { settingsOf } from '../clients/settings.ts'
import type { FindAccount } from '../find-account.ts'
import { tellsOfPerson } from '../scopes-of-person.ts'
import { currentUnit, type RequestUnit } from '../trips/request-unit.ts'
import { saying } from './authentication.ts'
import { verifyOwnJwt } from './own-jwts.ts'
import { BINDING, type TokenBindings } from './token-bindings.ts'

export interface ReturnedJwtsDeps {
  readonly issuer: string
  readonly provider: () => Provider
  readonly adapterFor: (model: string) => StoreAdapter
  readonly findAccount: FindAccount
  readonly directory: Pick<ClientDirectory, 'honours' | 'isSinceRestore' | 'findResource'>
  readonly bindings: TokenBindings
}

/** By this name introspection asks for the JWT of its request, which the engine takes no JWT for. */
export const ASKED_ABOUT = 'jwt'

/**
 * A JWT that comes back is found like a stored token, though nothing is stored of it: it is judged by
 * all that it hangs on now, so that what was revoked is dead at once. Introspection sees all of it,
 * userinfo what its API's operator has opened.
 */
export function returnedJwts(deps: ReturnedJwtsDeps): (model: string) => StoreAdapter {
  return (model) => {
    const adapter = deps.adapterFor(model)
    if (model !== 'AccessToken' && model !== 'ClientCredentials') return adapter
    return decorated(adapter, {
      find: async (id) => {
        if (id === ASKED_ABOUT) {
          const token = (await judgedOnce(deps))?.token
          return token?.['kind'] === model ? token : undefined
        }
        return id.includes('.') ? forUserinfo(await judged(deps, id)) : adapter.find(id)
      },
    })
  }
}

interface Judged {
  readonly token: AdapterPayload
  readonly api: RegisteredResource
}

const judgements = new WeakMap<RequestUnit, Promise<Judged | undefined>>()

/** The engine looks among all kinds of tokens at once. */
async function judgedOnce(deps: ReturnedJwtsDeps): Promise<Judged | undefined> {
  const unit = currentUnit()
  if (unit?.jwt === undefined) return undefined
  const found = judgements.get(unit) ?? judged(deps, unit.jwt)
  judgements.set(unit, found)
  return found
}

/** The API that the JWT of this request is for. */
export async function judgedApi(): Promise<RegisteredResource | undefined> {
  const unit = currentUnit()
  return unit && (await judgements.get(unit))?.api
}

/** For userinfo a token has no audience, and no scopes but those of the person. */
function forUserinfo(found: Judged | undefined): AdapterPayload | undefined {
  if (!found?.api.opensUserinfo || found.token['kind'] !== 'AccessToken') return undefined
  const { aud: _api, scope = '', ...token } = found.token
  const ofPerson = scope.split(' ').filter(tellsOfPerson)
  return { ...token, scope: ofPerson.join(' ') }
}

interface Said {
  readonly jti: string
  readonly iat: number
  readonly exp: number
  readonly sub: string
  readonly client_id: string
  readonly scope?: string
  readonly acr?: unknown
  readonly auth_time?: unknown
  readonly groups?: unknown
  readonly _claim_names?: { readonly groups?: unknown }
  readonly [BINDING]?: string
}

async function judged(deps: ReturnedJwtsDeps, jwt: string): Promise<Judged | undefined> {
  const { issuer, directory } = deps
  const audience = audienceOf(jwt)
  if (audience === undefined || audience === apiResource(issuer)) return undefined
  const api = await directory.findResource(audience)
  if (!api) return undefined
  const rules = {
    issuer,
    audience,
    types: ['at+jwt', api.tokenTyp],
    algorithms: ['ES256', 'RS256'],
  }
  const said = (await verifyOwnJwt(deps.provider(), jwt, rules)) as Said | undefined
  if (!said || !(await isGoodFor(deps, said, audience))) return undefined
  const { jti, iat, exp, scope, client_id: clientId } = said
  const token = { jti, iat, exp, clientId, aud: audience, scope: scope ?? '' }
  const sealed = said[BINDING]
  if (sealed === undefined)
    return said.sub === clientId
      ? { token: { ...token, kind: 'ClientCredentials' }, api }
      : undefined
  const held = await holdOf(deps, said, sealed)
  return held && { token: { ...token, ...held, kind: 'AccessToken', extra: extraOf(said) }, api }
}

/** Groups: those that it named, or too many for it; introspection says which they are now. */
function extraOf({
  acr,
  auth_time: authTime,
  groups,
  _claim_names: elsewhere,
}: Said): Readonly<Record<string, unknown>> {
  const named = groups ?? elsewhere?.groups
  return { ...saying(acr, authTime), ...(named === undefined ? {} : { groups: named }) }
}

/** Whether the client still has what it was given then, and the API is still one of its own. */
async function isGoodFor(
  { provider, directory }: ReturnedJwtsDeps,
  { client_id: clientId, iat }: Said,
  audience: string,
): Promise<boolean> {
  if (!directory.isSinceRestore(iat) || !(await directory.honours(clientId, iat))) return false
  const client = await provider().Client.find(clientId)
  return client !== undefined && (settingsOf(client).allowed_resources?.includes(audience) ?? true)
}

/** Grant and person, if they are there and were when it was issued; the session is the engine's to ask. */
async function holdOf(
  { adapterFor, findAccount, bindings }: ReturnedJwtsDeps,
  { jti, iat, client_id: clientId }: Said,
  sealed: string,
): Promise<Partial<AdapterPayload> | undefined> {
  const binding = bindings.open(jti, sealed)
  if (!binding) return undefined
  const { grantId, sessionUid } = binding
  const grant = await adapterFor('Grant').find(grantId)
  if (!grant?.accountId || grant.clientId !== clientId) return undefined
  if (grant.iat === undefined || grant.iat > iat) return undefined
  if (!(await findAccount(grant.accountId, sessionUid))) return undefined
  currentUnit()?.grants.set(grantId, Promise.resolve(grant))
  const { accountId } = grant
  return sessionUid === undefined
    ? { accountId, grantId }
    : { accountId, grantId, sessionUid, expiresWithSession: true }
}

/** What it says of itself before anything is checked: by it is told how to check it. */
function audienceOf(jwt: string): string | undefined {
  try {
    const { aud } = decodeJwt(jwt)
    return typeof aud === 'string' ? aud : undefined
  } catch {
    return undefined
  }
}
