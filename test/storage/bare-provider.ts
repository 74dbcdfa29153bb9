import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Configuration, Provider } from 'oidc-provider'
import type { ArtifactStore } from '../../src/oidc/adapters/adapter.ts'
import { answerOutages } from '../../src/oidc/outages.ts'

export const ISSUER = 'http://localhost:9'
export const CLIENT = { client_id: 'app', redirect_uri: 'https://app.example/callback' } as const
/** RFC 7636 appendix B. */
export const PKCE = {
  verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
} as const

const JWKS = {
  keys: [
    {
      ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
      alg: 'ES256',
      use: 'sig',
    },
  ],
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** One server instance of one issuer: oidc-provider alone, on the store under test. */
export interface Instance extends AsyncDisposable {
  readonly provider: Provider
  send(
    method: string,
    path: string,
    options?: { form?: Record<string, string>; headers?: Record<string, string> },
  ): Promise<Answer>
  /** POST to the token endpoint as the public client. */
  token(form: Record<string, string>): Promise<{ status: number; body: Record<string, string> }>
}

export async function startInstance(store: ArtifactStore): Promise<Instance> {
  const provider = quiet(() => new Provider(ISSUER, configuration(store)))
  answerOutages(provider)
  const handle = provider.callback()
  const server = createServer((req, res) => void answer(req, res))
  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.url?.startsWith('/interaction/')) await signIn(provider, req, res)
    else await handle(req, res)
  }
  server.keepAliveTimeout = 120_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })

  const instance: Instance = {
    provider,
    send(method, path, { form, headers = {} } = {}) {
      const body = form && new URLSearchParams(form).toString()
      const type = body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }
      return new Promise((resolve, reject) => {
        const sent = request(
          { host: '127.0.0.1', port, agent, method, path, headers: { ...type, ...headers } },
          (res) => {
            const chunks: Buffer[] = []
            res.on('data', (chunk: Buffer) => chunks.push(chunk))
            res.on('end', () =>
              resolve({
                status: res.statusCode ?? 0,
                headers: res.headers,
                text: Buffer.concat(chunks).toString('utf8'),
              }),
            )
            res.on('error', reject)
          },
        )
        sent.on('error', reject)
        sent.end(body)
      })
    },
    async token(form) {
      const { status, text } = await instance.send('POST', '/token', {
        form: { client_id: CLIENT.client_id, ...form },
      })
      return { status, body: JSON.parse(text) as Record<string, string> }
    },
    async [Symbol.asyncDispose]() {
      agent.destroy()
      server.close()
      server.closeAllConnections()
    },
  }
  return instance
}

/** Signs `ada` in and consents to everything, without a page. */
async function signIn(
  provider: Provider,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { params } = await provider.interactionDetails(req, res)
  const grant = new provider.Grant({ accountId: 'ada', clientId: CLIENT.client_id })
  grant.addOIDCScope(String(params['scope']))
  await provider.interactionFinished(req, res, {
    login: { accountId: 'ada' },
    consent: { grantId: await grant.save() },
  })
}

function configuration(store: ArtifactStore): Configuration {
  return {
    adapter: store.adapterFor,
    clients: [
      {
        client_id: CLIENT.client_id,
        redirect_uris: [CLIENT.redirect_uri],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    clientDefaults: { id_token_signed_response_alg: 'ES256', response_types: ['code'] },
    cookies: { keys: ['a key for this test only'] },
    expiresWithSession: () => false,
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: () => true },
    },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    issueRefreshToken: () => true,
    jwks: JWKS,
    rotateRefreshToken: true,
    responseTypes: ['code'],
    scopes: ['openid', 'offline_access'],
    ttl: {
      AccessToken: 600,
      AuthorizationCode: 600,
      Grant: 3600,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 3600,
      Session: 3600,
    },
    renderError: (ctx, out) => {
      ctx.body = out
    },
  }
}

/**
 * oidc-provider speaks of its defaults when it starts; the test of the real configuration insists
 * on silence.
 */
function quiet<T>(work: () => T): T {
  const { info, warn } = console
  Object.assign(console, { info: () => undefined, warn: () => undefined })
  try {
    return work()
  } finally {
    Object.assign(console, { info, warn })
  }
}
