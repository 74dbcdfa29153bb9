import { Audit } from './audit/audit.ts'
import { ClientSecrets } from './clients/client-secrets.ts'
import { Clients } from './clients/clients.ts'
import { Logos } from './clients/logos.ts'
import { RefusedRequests } from './clients/refused-requests.ts'
import { Resources } from './clients/resources.ts'
import type { Config } from './config/config.ts'
import { HashProcess, patienceMs } from './crypto/hash-process.ts'
import { PasswordHasher } from './crypto/password.ts'
import { SecretBox } from './crypto/secret-box.ts'
import { deriveMacKey } from './crypto/token.ts'
import { type Database, openDatabase } from './database/database.ts'
import { Announcements } from './feed/announcements.ts'
import { createLogger, type Logger } from './logger/logger.ts'
import { composeMail } from './mail/compose-mail.ts'
import { AccessRevoker } from './oidc/access-revoker.ts'
import { BackChannelLogout } from './oidc/back-channel-logout.ts'
import { API_SCOPE, apiResource } from './oidc/clients/built-in-clients.ts'
import { ownIdentifiers } from './oidc/clients/own-identifiers.ts'
import { SecretUses } from './oidc/clients/secret-uses.ts'
import { SigningKeys } from './oidc/keys/signing-keys.ts'
import type { GuardedFetchOptions } from './outgoing/guarded-fetch.ts'
import { openWaysOut } from './outgoing/ways-out.ts'
import { openStorage } from './stores.ts'
import { composeArrivals, composeUpstream } from './upstreams.ts'
import { composeUseCases } from './use-cases.ts'
import { createViews, readLanguages, type Views } from './views/views.ts'

export type Core = Awaited<ReturnType<typeof createCore>>

export interface CoreOptions {
  readonly logger?: Logger
  /** The database, if the caller has opened it already. */
  readonly database?: Database
  /** Where passwords are hashed: in a process of its own unless told otherwise. */
  readonly hashing?: 'apart' | 'here'
  /** For tests: what requests to clients' servers may reach. */
  readonly outgoing?: GuardedFetchOptions
  /** For tests that are about something else than deadlines: how long a call to Redis may take. */
  readonly redisCommandMs?: number | undefined
}

/**
 * What can be done with accounts, clients and keys, made by hand in floor order: all that needs no
 * authorization server. A command has this and no more, so that it is there at once. Disposing it
 * ends what was started.
 */
export async function createCore(config: Config, options: CoreOptions = {}) {
  const logger = options.logger ?? createLogger(config.logLevel)
  await using undo = new AsyncDisposableStack()
  const database = undo.use(options.database ?? (await openDatabase(config.database)))
  const { em, pool } = database
  const { keyEncryptionKeys } = config.secrets
  const subjectKey = deriveMacKey(keyEncryptionKeys.at(-1) ?? '', 'audit subjects')
  const audit = undo.use(new Audit({ pool, subjectKey, logger }))
  const box = new SecretBox(keyEncryptionKeys)
  const common = { config, database, box, audit, logger }
  const hashProcess =
    options.hashing === 'here'
      ? undefined
      : undo.use(new HashProcess({ logger, timeoutMs: patienceMs(config.argon2) }))
  const hasher = new PasswordHasher({
    ...config.argon2,
    ...(hashProcess && { argon2: hashProcess }),
  })
  const { brand, issuer } = config
  let made: Views | undefined
  /** Languages and templates are read when something is written: most commands write nothing. */
  const views = () =>
    (made ??= createViews({
      brand,
      issuer,
      languages: readLanguages(config.localesDir),
      isDevelopment: !config.production,
    }))
  const posting = composeMail({ ...common, views })
  const { messages, outbox } = posting

  const ways = await openWaysOut(config, options.outgoing)
  const logos = new Logos({ em, outbox, fetch: ways.toPictures })
  const clients = new Clients({
    em,
    audit,
    logos,
    mayName: ways.mayName,
    accountApi: { identifier: apiResource(issuer), scopes: [API_SCOPE] },
  })
  const secretUses = undo.use(new SecretUses({ pool, logger }))
  const refusedRequests = undo.use(new RefusedRequests({ em, pool, logger }))
  const announcements = undo.use(await Announcements.open({ database, logger }))
  const { redisCommandMs } = options
  const storage = undo.use(
    await openStorage({ config, pool, announcements, logger, redisCommandMs }),
  )
  const { directory, store } = storage
  const logout = new BackChannelLogout({
    em,
    outbox,
    directory,
    findSession: async (uid) => (await store.adapterFor('Session').findByUid(uid)) ?? undefined,
    ways,
    logger,
  })
  const access = new AccessRevoker({ store, logout })

  const connected = { ...common, announcements, directory, ways }
  const upstream = composeUpstream(connected)
  const useCases = composeUseCases({ ...connected, ...upstream, hasher, messages, access })
  const arriving = composeArrivals({ ...common, messages, useCases, upstream })

  const owned = undo.move()
  return {
    ...common,
    hashProcess,
    hasher,
    views,
    ...posting,
    ways,
    logos,
    clients,
    clientSecrets: new ClientSecrets({ em, audit }),
    secretUses,
    refusedRequests,
    resources: new Resources({ em, audit, isOurs: ownIdentifiers(issuer) }),
    announcements,
    storage,
    directory,
    redis: storage.redis,
    store,
    logout,
    access,
    keys: new SigningKeys({ em, box, timing: config.keys, audit }),
    useCases,
    ...upstream,
    ...arriving,
    ...useCases,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
