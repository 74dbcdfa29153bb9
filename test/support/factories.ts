import { randomBytes } from 'node:crypto'
import { checkClientId } from '../../src/clients/client-id.ts'
import { columnsOf } from '../../src/clients/metadata.ts'
import { parseClient } from '../../src/clients/parse-client.ts'
import type { ClientInput } from '../../src/clients/registration.ts'
import { OIDC_SCOPES } from '../../src/clients/scopes.ts'
import { replaceSecrets, usesSecret } from '../../src/clients/secret.ts'
import { settled } from '../../src/clients/settled.ts'
import { randomSecret } from '../../src/crypto/token.ts'
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

/** What an operator may say; by default a web app with one redirect URI, all scopes and all APIs. */
export interface NewClient extends Partial<Omit<ClientInput, 'isFirstParty'>> {
  readonly clientId?: string
  /** `null` makes a public client: an app in the browser, or a native one. */
  readonly secret?: null
  readonly firstParty?: boolean
}

/**
 * A registered client, straight into the database: checked and derived as the product does it, so
 * that no test is about a client that cannot be. `odd-clients.ts` makes the exceptions.
 */
export async function createClient({ context }: Owner, options: NewClient = {}) {
  const { clientId, secret, firstParty = false, ...said } = options
  const id = checkClientId(clientId ?? `app-${unique()}`)
  const em = context.database.em.fork()
  const type = said.type ?? (secret === null ? 'spa' : 'web')
  const apis = (await em.findAll(Resource)).filter(
    ({ identifier }) => said.resources?.includes(identifier) ?? true,
  )
  const ofApp = {
    redirectUris: [REDIRECT_URI],
    postLogoutRedirectUris: ['https://client.example/bye'],
    scopes: [...new Set([...OIDC_SCOPES, ...apis.flatMap(({ scopes }) => scopes)])],
  }
  const wanted = parseClient({
    name: 'Plant Diary',
    type,
    isFirstParty: firstParty,
    resources: apis.map(({ identifier }) => identifier),
    ...(type === 'service' ? {} : ofApp),
    ...said,
  })
  const made = usesSecret(wanted.authMethod) ? randomSecret() : undefined
  await em.transactional(async (tx) => {
    const columns = columnsOf(await settled(tx, wanted, {}))
    await replaceSecrets(tx, tx.create(Client, { id, ...columns, secretDigest: null }), made)
  })
  return { clientId: id, clientSecret: made, redirectUri: wanted.redirectUris[0] ?? '' }
}

/** As if the person had allowed the app this before: it goes on without a question. */
export async function allowBefore(
  { context }: Owner,
  account: { readonly id: string },
  clientId: string,
  scopes: readonly string[] = ['openid'],
): Promise<void> {
  await context.consents.add(account.id, clientId, { scopes, resourceScopes: {}, claims: [] })
}

type ResourceField =
  | 'identifier'
  | 'name'
  | 'scopes'
  | 'scopeDescriptions'
  | 'tokenTyp'
  | 'opensUserinfo'
  | 'signingAlg'

/** An API that accepts access tokens (RFC 8707). */
export async function createResource(
  { context }: Owner,
  {
    identifier = 'https://api.example/',
    name = 'Example API',
    scopes = ['read', 'write'],
    scopeDescriptions = {},
    servedBy,
    ...more
  }: Partial<Pick<Resource, ResourceField>> & { readonly servedBy?: string } = {},
) {
  const em = context.database.em.fork()
  const resource = em.create(Resource, { identifier, name, scopes, scopeDescriptions, ...more })
  if (servedBy !== undefined) resource.servedBy = em.getReference(Client, servedBy)
  await em.persist(resource).flush()
  return { identifier, scopes }
}
