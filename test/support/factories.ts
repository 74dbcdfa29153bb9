import { createHash, randomBytes } from 'node:crypto'
import type { ClientMetadata } from '../../src/entities/client.ts'
import { Account, Client, Resource } from '../../src/entities/index.ts'
import type { TestServer } from './server.ts'

type Owner = Pick<TestServer, 'context'>

export const PASSWORD = 'plum ladder seven harbour'
export const REDIRECT_URI = 'https://client.example/callback'

let made = 0
const unique = () => `${++made}${randomBytes(3).toString('hex')}`

export interface NewAccount {
  readonly name?: string
  readonly email?: string
  readonly password?: string | null
  readonly locale?: string
  readonly status?: 'active' | 'disabled' | 'deleting'
}

/**
 * An account whose address is proven, straight into the database: for tests that are about
 * something else than signing up.
 */
export async function createAccount(
  { context }: Owner,
  { password = PASSWORD, ...given }: NewAccount = {},
) {
  const em = context.database.em.fork()
  const now = new Date()
  const email = given.email ?? `ada.${unique()}@example.org`
  const account = em.create(Account, {
    name: 'Ada Lovelace',
    passwordHash: password === null ? null : await context.hasher.hash(password),
    passwordChangedAt: now,
    emailVerifiedAt: now,
    ...given,
    email,
  })
  await em.persist(account).flush()
  return { id: account.id, email, name: account.name, password: password ?? '' }
}

export interface NewClient {
  readonly clientId?: string
  readonly name?: string
  /** `null` makes a public client (`token_endpoint_auth_method: none`). */
  readonly secret?: string | null
  readonly firstParty?: boolean
  readonly requireMfa?: boolean
  /** People may let it manage their account. */
  readonly accountApi?: boolean
  readonly refreshLeewaySeconds?: number
  /** RFC 7591 metadata over the defaults: one redirect URI, code and refresh, client_secret_basic. */
  readonly metadata?: ClientMetadata
}

/** A registered client, straight into the database. */
export async function createClient({ context }: Owner, options: NewClient = {}) {
  const clientId = options.clientId ?? `app-${unique()}`
  const secret =
    options.secret === undefined ? randomBytes(32).toString('base64url') : options.secret
  const metadata = {
    redirect_uris: [REDIRECT_URI],
    post_logout_redirect_uris: ['https://client.example/bye'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: secret === null ? 'none' : 'client_secret_basic',
    ...options.metadata,
  }
  const em = context.database.em.fork()
  const client = em.create(Client, {
    id: clientId,
    name: options.name ?? 'Plant Diary',
    secretDigest: secret === null ? null : createHash('sha256').update(secret).digest('base64url'),
    metadata,
    isFirstParty: options.firstParty ?? false,
    requireMfa: options.requireMfa ?? false,
    accountApi: options.accountApi ? 'on' : 'off',
    refreshLeewaySeconds: options.refreshLeewaySeconds ?? null,
  })
  await em.persist(client).flush()
  return {
    clientId,
    clientSecret: secret ?? undefined,
    redirectUri: metadata.redirect_uris[0] ?? '',
  }
}

/** An API that accepts access tokens (RFC 8707). */
export async function createResource(
  { context }: Owner,
  {
    identifier = 'https://api.example/',
    name = 'Example API',
    scopes = ['read', 'write'],
    scopeDescriptions = {},
  }: Partial<Pick<Resource, 'identifier' | 'name' | 'scopes' | 'scopeDescriptions'>> = {},
) {
  const em = context.database.em.fork()
  await em.persist(em.create(Resource, { identifier, name, scopes, scopeDescriptions })).flush()
  return { identifier, scopes }
}
