import type { Client, Interaction, Provider } from 'oidc-provider'
import { ACCOUNT_CLIENT_ID } from './clients/built-in-clients.ts'
import { ENDPOINTS } from './endpoints.ts'

/** Out of a sign-in that is over, for the browser that began it. */
export interface WayBack {
  readonly client: Client
  readonly redirectUri: string
  /**
   * The app's own request once more, as it came: it goes through all checks, and takes nothing of
   * the old one with it.
   */
  readonly again?: string
  /** Where the app begins. */
  readonly home?: string
}

export async function findWayBack(
  provider: Provider,
  { uid, clientId }: { uid: string; clientId: string },
): Promise<WayBack | undefined> {
  const [client, interaction] = await Promise.all([
    provider.Client.find(clientId),
    provider.Interaction.find(uid),
  ])
  if (!client) return undefined
  const home = homeOf(client)
  return {
    client,
    redirectUri: client.redirectUris?.[0] ?? '',
    ...(interaction?.params['client_id'] === clientId
      ? { again: requestOf(interaction.params) }
      : {}),
    ...(home ? { home } : {}),
  }
}

function requestOf(params: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params))
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== undefined && each !== null) query.append(name, String(each))
  return `${ENDPOINTS.authorization.path}?${query.toString()}`
}

/** Its registered page, else the one site that all its callbacks are at. */
function homeOf(client: Client): string | undefined {
  if (client.clientId === ACCOUNT_CLIENT_ID) return '/account'
  const isWeb = (url: URL | null): url is URL => url !== null && /^https?:$/.test(url.protocol)
  const page = URL.parse(client.clientUri ?? '')
  if (isWeb(page)) return page.href
  const origins = new Set(
    (client.redirectUris ?? [])
      .map((uri) => URL.parse(uri))
      .map((url) => (isWeb(url) ? `${url.origin}/` : undefined)),
  )
  return origins.size === 1 ? [...origins][0] : undefined
}

interface Resumed {
  readonly uid: string
  readonly exp: number
  readonly rest: object
}

/** The sign-in that this request has finished. */
export function resumedIn({ state }: { readonly state: object }): Resumed | undefined {
  return (state as { resumed?: Resumed }).resumed
}

/**
 * A fault while a finished sign-in is resumed: what it was spent for did not come about. The
 * request waits again, and nothing else of the interaction: a person who loads the page again signs in
 * again.
 */
export function keepRequests(provider: Provider): Parameters<Provider['use']>[0] {
  provider.on('interaction.destroyed', ({ uid, cid, exp, returnTo, prompt, params }) => {
    const { ctx } = provider.constructor as typeof Provider
    if (ctx) ctx.state['resumed'] = { uid, exp, rest: { cid, returnTo, prompt, params } }
  })
  const keep = async (ctx: Parameters<Parameters<Provider['use']>[0]>[0]): Promise<void> => {
    const resumed = resumedIn(ctx)
    if (!resumed) return
    const { uid, exp, rest } = resumed
    const seconds = exp - Math.floor(Date.now() / 1000)
    const interaction = Reflect.construct(provider.Interaction, [uid, rest]) as Interaction
    if (seconds > 0) await interaction.save(seconds).catch(() => undefined)
    const cleared = `${provider.cookieName('resume')}=;`
    const cookies = [ctx.response.headers['set-cookie'] ?? []].flat()
    const kept = cookies.filter(
      (cookie) => !cookie.startsWith(cleared) && !cookie.startsWith(cleared.replace('=;', '.sig=')),
    )
    if (kept.length < cookies.length) ctx.set('Set-Cookie', kept)
  }
  return async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      await keep(ctx)
      throw error
    }
    if (ctx.status >= 500) await keep(ctx)
  }
}
