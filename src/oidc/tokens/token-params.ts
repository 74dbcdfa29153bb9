import { errors, type Provider } from 'oidc-provider'
import { endpointOf } from '../endpoints.ts'
import { readIntrospection } from '../introspection.ts'

export const GRANT_TYPES: readonly string[] = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
]

type Params = Record<string, unknown>
interface OidcContext {
  readonly ctx: {
    readonly req: { readonly headers: Record<string, unknown> }
    readonly state: Readonly<Record<string, unknown>>
    set(header: string, value: string): void
  }
  readonly issuer: string
  readonly route: string
}

/**
 * A public client may name itself by HTTP Basic with an empty password, as many libraries do (RFC
 * 6749 2.3.1): notes its name for `readParamsFirst`.
 */
export function notePublicClient(provider: Provider): Parameters<Provider['use']>[0] {
  return async (ctx, next) => {
    if (endpointOf(ctx)?.kind === 'call') {
      const id = nameOf(ctx.req.headers.authorization)
      if (id && (await provider.Client.find(id))?.clientAuthMethod === 'none')
        ctx.state['publicClient'] = id
    }
    await next()
  }
}

/**
 * Reads the parameters before the library authenticates a client by them: an unknown grant type is
 * that for every caller (RFC 6749 5.2), and a public client is the one that it named.
 */
export function readParamsFirst(provider: Provider): void {
  const { prototype } = (provider as unknown as { OIDCContext: { prototype: object } }).OIDCContext
  Object.defineProperty(prototype, 'params', {
    set(this: OidcContext, params: Params) {
      Object.defineProperty(this, 'params', {
        value: params,
        writable: true,
        enumerable: true,
        configurable: true,
      })
      if (this.route === 'token') assertKnown(params['grant_type'])
      if (this.route === 'introspection') readIntrospection(this, params)
      nameClient(this.ctx, params)
    },
  })
}

function assertKnown(grantType: unknown): void {
  if (typeof grantType === 'string' && grantType !== '' && !GRANT_TYPES.includes(grantType))
    throw new errors.UnsupportedGrantType()
}

/** Another name in the form stays a contradiction, which the library refuses. */
function nameClient({ req, state }: OidcContext['ctx'], params: Params): void {
  const { publicClient } = state
  if (publicClient === undefined || (params['client_id'] ?? publicClient) !== publicClient) return
  params['client_id'] = publicClient
  delete req.headers['authorization']
}

/** The name in HTTP Basic whose password is empty. */
function nameOf(authorization = ''): string | undefined {
  const [, encoded = ''] = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? []
  const [, name = ''] = /^([^:]+):$/.exec(Buffer.from(encoded, 'base64').toString('latin1')) ?? []
  try {
    return decodeURIComponent(name.replaceAll('+', ' ')) || undefined
  } catch {
    return undefined
  }
}
