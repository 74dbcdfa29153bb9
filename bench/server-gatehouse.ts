import { createHash, randomInt } from 'node:crypto'
import { createApp } from '../src/app.ts'
import { buildConfig } from '../src/config/config.ts'
import { EnvSchema } from '../src/config/env.ts'
import { createContext } from '../src/context.ts'
import { randomToken } from '../src/crypto/token.ts'
import { openDatabase } from '../src/database/database.ts'
import { Account, Client, Resource } from '../src/entities/index.ts'
import { createLogger } from '../src/logger/logger.ts'
import { mintFor, REDIRECT_URI, RESOURCE } from './minting.ts'
import type { Served } from './server.ts'
import { PATHS, type TargetSettings } from './target.ts'

const PASSWORD = 'plum ladder seven harbour'
/** So many that a whole run leaves each of them below the cap of sessions. */
const PEOPLE = Array.from({ length: 450 }, (_, index) => `person${index + 1}@bench.example`)
const CLIENT = { id: 'bench', secret: 'a secret of the bench that is long enough' }

/**
 * The product as it runs in production: hashing apart at full cost, a log line for every request
 * (to nowhere), rate limits on.
 */
export async function gatehouseServer(
  issuer: string,
  port: number,
  settings: TargetSettings,
): Promise<Served> {
  const { databaseUrl, redisUrl, grownAccounts = 0, hasCheapHash } = settings
  const env = EnvSchema.parse({
    NODE_ENV: 'test',
    PORT: String(port),
    ISSUER: issuer,
    DATABASE_URL: databaseUrl,
    TRUSTED_PROXY_HOPS: '1',
    LOG_LEVEL: 'info',
    ...(redisUrl ? { REDIS_URL: redisUrl } : {}),
  })
  const secrets = { cookieKeys: ['c'.repeat(32)], keyEncryptionKeys: ['k'.repeat(32)] }
  const asRun = buildConfig(env, { databaseUrl, embedded: false, secrets })
  const config = hasCheapHash
    ? { ...asRun, argon2: { ...asRun.argon2, memoryKib: 64, passes: 1 } }
    : asRun
  const database = await openDatabase({ url: databaseUrl, pool: config.database.pool })
  await database.migrate()
  const context = await createContext(config, { database, logger: createLogger('info') })
  context.hashProcess?.start()
  const accountId = await seed()
  context.worker.start()
  return {
    handle: createApp(context).callback(),
    facts: {
      people: PEOPLE,
      password: PASSWORD,
      resource: RESOURCE,
      paths: PATHS,
      apiClient: CLIENT,
    },
    hashPid: () => context.hashProcess?.pid,
    mint: (what) => {
      const owner = {
        accountId: grownAccounts > 0 ? anyOf(grownAccounts) : accountId,
        clientId: CLIENT.id,
      }
      return mintFor(context.authorizationServer.provider, owner, what)
    },
    async [Symbol.asyncDispose]() {
      await context[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }

  async function seed(): Promise<string> {
    const em = database.em.fork()
    const known = await em.findOne(Account, { email: PEOPLE[0] ?? '' })
    if (known) return known.id
    const now = new Date()
    const passwordHash = await context.hasher.hash(PASSWORD)
    const [account] = PEOPLE.map((email) =>
      em.create(Account, {
        name: 'Ada Lovelace',
        email,
        emailVerifiedAt: now,
        passwordHash,
        passwordChangedAt: now,
      }),
    )
    em.create(Client, {
      id: CLIENT.id,
      name: `Bench ${randomToken(32)}`,
      secretDigest: createHash('sha256').update(CLIENT.secret).digest('base64url'),
      isFirstParty: true,
      metadata: {
        redirect_uris: [REDIRECT_URI],
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
        id_token_signed_response_alg: 'ES256',
      },
    })
    em.create(Resource, { identifier: RESOURCE, name: 'Example API', scopes: ['read'] })
    await em.flush()
    return account?.id ?? ''
  }
}

/** The id of one of the accounts that `grow` makes. */
function anyOf(count: number): string {
  const hex = createHash('md5')
    .update(`grown ${randomInt(count) + 1}`)
    .digest('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
