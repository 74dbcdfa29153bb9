import { type Client, errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider'
import type { ResourceServers } from '../clients/resource-servers.ts'
import { ENDPOINTS, endpointOf } from '../endpoints.ts'
import { param } from '../param.ts'
import { askedScopes, grantable } from './asked-scopes.ts'
import { askForOffline, keepOffline } from './offline-access.ts'
import { knownPrompts } from './prompts.ts'

type Middleware = Parameters<Provider['use']>[0]
type Query = KoaContextWithOIDC['query']

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

const refusals = new WeakMap<object, Error>()

/**
 * Reads what an app asks for at `/auth` before the engine does: scopes that nobody knows or that
 * this app may not have are left out, and the answer's `scope` says what was given (RFC 6749 3.3).
 * What can be read in two ways is left for the engine to refuse.
 */
export function readRequests(provider: Provider, resources: ResourceServers): Middleware {
  return async (ctx, next) => {
    if (endpointOf(ctx) === ENDPOINTS.authorization && isSingle(ctx.query)) {
      const id = param(ctx.query, 'client_id')
      const client = await provider.Client.find(id).catch(() => undefined)
      if (client) ctx.query = await read(ctx, client, resources)
    }
    await next()
  }
}

/** What the engine asks last before it looks who is there: `extraParams` of its configuration. */
export function finishReading(ctx: KoaContextWithOIDC): void {
  const refusal = refusals.get(ctx)
  if (refusal) throw refusal
  if (!ctx.oidc.prompts.has('none')) askForOffline(ctx)
}

async function read(
  ctx: Parameters<Middleware>[0],
  client: Client,
  resources: ResourceServers,
): Promise<Query> {
  const { query } = ctx
  const asked = askedScopes(client, param(query, 'scope'))
  const prompt = knownPrompts(param(query, 'prompt'))
  if (!asked) return { ...query, prompt }
  const ofApis = await resources.offeredTo(client, [query['resource'] ?? []].flat())
  const scopes = grantable(client, asked, ofApis)
  if (scopes.length === 0) {
    const why = 'this client may have none of the scopes that it asks for'
    refusals.set(ctx, new errors.InvalidScope(why, asked.join(' ')))
    return only(query, (name) => OF_REFUSED.includes(name))
  }
  keepOffline(ctx, client, { scopes, prompts: prompt.split(' ') })
  const hasLost = asked.includes('openid') && !scopes.includes('openid')
  return {
    ...only(query, (name) => !hasLost || !OF_ID_TOKEN.includes(name)),
    prompt,
    scope: scopes.join(' '),
  }
}

function isSingle(query: Query): boolean {
  return ['scope', 'prompt'].every((name) => !Array.isArray(query[name]))
}

function only(query: Query, isWanted: (name: string) => boolean): Query {
  return Object.fromEntries(Object.entries(query).filter(([name]) => isWanted(name)))
}
