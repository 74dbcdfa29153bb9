import { randomUUID } from 'node:crypto'
import { digestOf } from '../../src/clients/secret.ts'
import { randomSecret } from '../../src/crypto/token.ts'
import type { ClientMetadata } from '../../src/entities/client.ts'
import { Client } from '../../src/entities/index.ts'
import { REDIRECT_URI } from './factories.ts'
import type { TestServer } from './server.ts'

/** Why a test needs a client that cannot be registered; nothing else is a reason. */
type Why =
  /** A server of the test's own, on loopback, plays that of the app. */
  | 'its server is on loopback'
  /** Versions to come store more; what the engine knows must not slip through the fast path. */
  | 'it has metadata that no registration makes'
  /** One from before logos were checked and copied. */
  | 'its logo is not public'
  /** What a page shows is escaped, even if it was stored unchecked. */
  | 'its links are not well written'
  /** Until now all are made by us; what a secret is encoded like must not depend on it. */
  | 'its secret is no random one'

interface OddClient {
  readonly clientId?: string
  readonly secret?: string | null
  readonly firstParty?: boolean
  /** RFC 7591 names, over one redirect URI, code and refresh, `client_secret_basic`. */
  readonly metadata?: ClientMetadata
}

/** A row that `createClient` would refuse, as a version before registrations were stored wrote it. */
export async function storeOddClient(
  { context }: Pick<TestServer, 'context'>,
  _why: Why,
  { clientId = randomUUID(), secret = randomSecret(), firstParty = false, ...more }: OddClient,
) {
  const metadata = {
    redirect_uris: [REDIRECT_URI],
    post_logout_redirect_uris: ['https://client.example/bye'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: secret === null ? 'none' : 'client_secret_basic',
    ...more.metadata,
  }
  const em = context.database.em.fork()
  const client = em.create(Client, {
    id: clientId,
    name: 'Plant Diary',
    secretDigest: secret === null ? null : digestOf(secret),
    metadata,
    isFirstParty: firstParty,
  })
  await em.persist(client).flush()
  return { clientId, clientSecret: secret ?? undefined }
}
