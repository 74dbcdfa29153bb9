import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { PKCE, REDIRECT_URI, RESOURCE, SCOPE } from './minting.ts'
import type { Served } from './server.ts'
import type { Minted, Paths } from './target.ts'

/** What is used of better-auth, which is installed on demand and so unknown to the compiler. */
interface BetterAuth {
  betterAuth(options: object): Auth
  getMigrations(options: object): Promise<{ runMigrations(): Promise<void> }>
  jwt(options: object): object
  oauthProvider(options: object): object
}
interface Row {
  readonly id: string
}
interface Auth {
  handler(request: Request): Promise<Response>
  readonly $context: Promise<{
    readonly adapter: { create(row: { model: string; data: object }): Promise<Row> }
    readonly internalAdapter: {
      createUser(user: object): Promise<Row>
      createSession(userId: string): Promise<Row>
      createVerificationValue(value: object): Promise<unknown>
    }
  }>
}

const MODULE = new URL('./peers/better-auth.js', import.meta.url).href
const CLIENT = { id: 'bench', secret: 'a-secret-of-the-bench-that-is-long-enough' }
const PATHS: Paths = {
  discovery: '/api/auth/.well-known/openid-configuration',
  jwks: '/api/auth/jwks',
  token: '/api/auth/oauth2/token',
  introspection: '/api/auth/oauth2/introspect',
  userinfo: '/api/auth/oauth2/userinfo',
}
const SCOPES = [...SCOPE.split(' '), 'read']
const HOUR_MS = 3_600_000

/**
 * better-auth with its OAuth provider on PostgreSQL: ES256, rate limit and telemetry off, client and API
 * kept in the process, any client for the API: what is cheapest for it.
 */
export async function betterAuthServer(issuer: string, databaseUrl: string): Promise<Served> {
  const { betterAuth, getMigrations, jwt, oauthProvider } = (await import(MODULE)) as BetterAuth
  const pool = new pg.Pool({ connectionString: databaseUrl })
  const options = {
    baseURL: issuer,
    secret: 'a secret of the bench that is long enough',
    database: pool,
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    plugins: [
      jwt({ jwks: { keyPairConfig: { alg: 'ES256' } }, disableSettingJwtHeader: true }),
      oauthProvider({
        loginPage: '/login',
        consentPage: '/consent',
        scopes: SCOPES,
        resources: [{ identifier: RESOURCE, accessTokenTtl: 600 }],
        enforcePerClientResources: false,
        cachedResources: new Set([RESOURCE]),
        cachedTrustedClients: new Set([CLIENT.id]),
      }),
    ],
  }
  await (await getMigrations(options)).runMigrations()
  const auth = betterAuth(options)
  const { adapter, internalAdapter } = await auth.$context
  await adapter.create({ model: 'oauthClient', data: clientRow() })
  const { id: userId } = await internalAdapter.createUser({
    name: 'Ada Lovelace',
    email: 'ada@example.org',
    emailVerified: true,
  })
  const { id: sessionId } = await internalAdapter.createSession(userId)
  return {
    handle: (req, res) => answer(auth, issuer, req, res),
    facts: { people: [], password: '', resource: RESOURCE, paths: PATHS, apiClient: CLIENT },
    mint,
    [Symbol.asyncDispose]: () => pool.end(),
  }

  async function mint(what: Minted): Promise<string> {
    const token = randomBytes(24).toString('base64url')
    const now = Date.now()
    const times = {
      createdAt: new Date(now),
      updatedAt: new Date(now),
      expiresAt: new Date(now + HOUR_MS),
    }
    if (what === 'code') {
      const query = {
        client_id: CLIENT.id,
        response_type: 'code',
        redirect_uri: REDIRECT_URI,
        scope: SCOPES.join(' '),
      }
      const challenge = { code_challenge: PKCE.challenge, code_challenge_method: 'S256' }
      const value = {
        type: 'authorization_code',
        query: { ...query, ...challenge },
        userId,
        sessionId,
        authTime: now,
        resource: [RESOURCE],
      }
      await internalAdapter.createVerificationValue({
        identifier: digest(token),
        value: JSON.stringify(value),
        ...times,
      })
      return token
    }
    const { updatedAt: _, ...own } = times
    const common = { token: digest(token), clientId: CLIENT.id, userId, sessionId, ...own }
    if (what === 'access')
      await adapter.create({
        model: 'oauthAccessToken',
        data: { ...common, scopes: SCOPE.split(' ') },
      })
    else
      await adapter.create({
        model: 'oauthRefreshToken',
        data: { ...common, scopes: SCOPES, resources: [RESOURCE], authTime: own.createdAt },
      })
    return token
  }
}

/** Its own handler for Node answers in chunks, which the generator does not read; this one is no dearer. */
async function answer(
  auth: Auth,
  issuer: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const body = req.method === 'POST' ? await text(req) : null
  const request = new Request(`${issuer}${req.url}`, {
    method: req.method ?? 'GET',
    headers: req.headers as Record<string, string>,
    body,
  })
  const response = await auth.handler(request)
  const payload = Buffer.from(await response.arrayBuffer())
  res.writeHead(response.status, {
    ...Object.fromEntries(response.headers),
    'content-length': payload.length,
  })
  res.end(payload)
}

function clientRow(): object {
  return {
    clientId: CLIENT.id,
    clientSecret: digest(CLIENT.secret),
    name: 'Bench',
    redirectUris: [REDIRECT_URI],
    scopes: SCOPES,
    clientCredentialsScopes: ['read'],
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
    responseTypes: ['code'],
    tokenEndpointAuthMethod: 'client_secret_basic',
    skipConsent: true,
    createdAt: new Date(),
    updatedAt: new Date(),
  }
}

/** As it stores secrets and tokens by default. */
function digest(value: string): string {
  return createHash('sha256').update(value).digest('base64url')
}
