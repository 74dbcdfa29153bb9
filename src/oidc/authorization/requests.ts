import { type Client, errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider'
import type { RefusedRequest } from '../../clients/needed-switch.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import { ENDPOINTS, endpointOf } from '../endpoints.ts'
import { param } from '../param.ts'
import { askedScopes, grantable } from './asked-scopes.ts'
import { namedApis } from './named-apis.ts'
import { askForOffline, keepOffline } from './offline-access.ts'
import { knownPrompts } from './prompts.ts'

type Middleware = Parameters<Provider['use']>[0]
type Query = KoaContextWithOIDC['query']

export interface ReadingDeps {
  readonly resources: ResourceServers
  /** Is told of scopes that were left out. */
  readonly hints: { tell(client: Client, refused: RefusedRequest, requestId?: unknown): void }
}

/** Speak of an ID token: without `openid` they are an error to the engine. */
const OF_ID_TOKEN = ['nonce', 'claims', 'claims_locales']
/** All that the engine needs of a request that is refused. */
const OF_REFUSED = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'state',
  'resource',
  'code_challenge',
  'code_challenge_method',
]

/** Scopes that an app is registered for if it needs them. */
const BY_SWITCH = ['groups', 'offline_access']
const NOTHING_LEFT = 'this client may have none of the scopes that it asks for'

const refusals = new WeakMap<object, { readonly error: Error; readonly query: Query }>()

/**
 * Reads what an app asks for at `/auth` before the engine does: scopes that nobody knows or that
 * this app may not have are left out, and the answer's `scope` says what was given (RFC 6749 3.3).
 * What can be read in two ways is left for the engine to refuse.
 */
export function readRequests(provider: Provider, deps: ReadingDeps): Middleware {
  return async (ctx, next) => {
    if (endpointOf(ctx) === ENDPOINTS.authorization && isSingle(ctx.query)) {
      const id = param(ctx.query, 'client_id')
      const client = await provider.Client.find(id).catch(() => undefined)
      if (client) ctx.query = await read(ctx, client, deps).catch(refusing(ctx))
    }
    await next()
  }
}

/** All that it asked for, though it is refused. */
export function askedAt(ctx: KoaContextWithOIDC): Readonly<Record<string, unknown>> | undefined {
  return refusals.get(ctx)?.query ?? ctx.oidc.params
}

/** What the engine asks last before it looks who is there: `extraParams` of its configuration. */
export function finishReading(ctx: KoaContextWithOIDC): void {
  const refusal = refusals.get(ctx)
  if (refusal) throw refusal.error
  if (!ctx.oidc.prompts.has('none')) askForOffline(ctx)
}

/** Keeps what is wrong until the engine has proven where the answer may go. */
function refusing(ctx: Parameters<Middleware>[0]): (error: unknown) => Query {
  return (error) => {
    if (!(error instanceof errors.OIDCProviderError)) throw error
    refusals.set(ctx, { error, query: ctx.query })
    return only(ctx.query, (name) => OF_REFUSED.includes(name))
  }
}

async function read(
  ctx: Parameters<Middleware>[0],
  client: Client,
  { resources, hints }: ReadingDeps,
): Promise<Query> {
  const { audience, ...query } = ctx.query
  const asked = askedScopes(client, param(query, 'scope'))
  const prompt = knownPrompts(param(query, 'prompt'))
  if (!asked) return { ...query, prompt }
  const named = await namedApis(resources, { audience, resource: query['resource'] })
  const apis = named.length > 0 ? named : await resources.broughtBy(asked, client)
  const scopes = grantable(client, asked, await resources.offeredTo(client, apis))
  const left = BY_SWITCH.filter((scope) => asked.includes(scope) && !scopes.includes(scope))
  if (left.length > 0 && client.redirectUriAllowed(param(query, 'redirect_uri')))
    hints.tell(client, { lack: 'scope', scopes: left }, ctx.state['requestId'])
  if (scopes.length === 0) throw new errors.InvalidScope(NOTHING_LEFT, asked.join(' '))
  keepOffline(ctx, client, { scopes, prompts: prompt.split(' ') })
  const hasLost = asked.includes('openid') && !scopes.includes('openid')
  return {
    ...only(query, (name) => !hasLost || !OF_ID_TOKEN.includes(name)),
    prompt,
    scope: scopes.join(' '),
    resource: [...apis],
  }
}

function isSingle(query: Query): boolean {
  return ['scope', 'prompt', 'audience'].every((name) => !Array.isArray(query[name]))
}

function only(query: Query, isWanted: (name: string) => boolean): Query {
  return Object.fromEntries(Object.entries(query).filter(([name]) => isWanted(name)))
}
