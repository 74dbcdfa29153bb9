import { Audit } from './audit/audit.ts'
import { ClientSecrets } from './clients/client-secrets.ts'
import { Clients } from './clients/clients.ts'
import { LOGO_POLICY, Logos } from './clients/logos.ts'
import { RefusedRequests } from './clients/refused-requests.ts'
import { Resources } from './clients/resources.ts'
import type { Config } from './config/config.ts'
import { CookieKeys } from './crypto/cookie-keys.ts'
import { HashProcess, patienceMs } from './crypto/hash-process.ts'
import { PasswordHasher } from './crypto/password.ts'
import { SecretBox } from './crypto/secret-box.ts'
import { deriveMacKey } from './crypto/token.ts'
import { type Database, openDatabase } from './database/database.ts'
import { FaultLog } from './fault-log.ts'
import { Announcements } from './feed/announcements.ts'
import { createRenderer } from './http/renderer.ts'
import { createLogger, type Logger } from './logger/logger.ts'
import { composeMail } from './mail/compose-mail.ts'
import { mailHandler } from './mail/handler.ts'
import { openMailer } from './mail/open-mailer.ts'
import { AccessRevoker } from './oidc/access-revoker.ts'
import { BackChannelLogout, LOGOUT_POLICY } from './oidc/back-channel-logout.ts'
import { API_SCOPE, apiResource } from './oidc/clients/built-in-clients.ts'
import { ownIdentifiers } from './oidc/clients/own-identifiers.ts'
import { SecretUses } from './oidc/clients/secret-uses.ts'
import { SigningKeys } from './oidc/keys/signing-keys.ts'
import { OutboxWorker } from './outbox/index.ts'
import type { GuardedFetchOptions } from './outgoing/guarded-fetch.ts'
import { openWaysOut } from './outgoing/ways-out.ts'
import { composeProtocol } from './protocol.ts'
import { Readiness } from './readiness.ts'
import { retentionJobs, shortLivedJobs } from './retention/jobs.ts'
import { JobRunner, SOON } from './retention/runner.ts'
import { openStorage } from './stores.ts'
import { composeArrivals, composeUpstream } from './upstreams.ts'
import { composeUseCases } from './use-cases.ts'
import { createViews, readLanguages } from './views/views.ts'

export type Context = Awaited<ReturnType<typeof createContext>>

export interface ContextOptions {
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
 * The composition root: every object of the server, made by hand in floor order. Disposing it ends
 * what was started.
 */
export async function createContext(config: Config, options: ContextOptions = {}) {
  const logger = options.logger ?? createLogger(config.logLevel)
  await using undo = new AsyncDisposableStack()
  const faults = new FaultLog({ logger })
  const database = undo.use(options.database ?? (await openDatabase(config.database)))
  const { em, pool } = database
  const readiness = undo.use(new Readiness({ pool, logger }))
  const { keyEncryptionKeys } = config.secrets
  const subjectKey = deriveMacKey(keyEncryptionKeys.at(-1) ?? '', 'audit subjects')
  const audit = undo.use(new Audit({ pool, subjectKey, logger }))

  const cookieKeys = new CookieKeys(config.secrets.cookieKeys)
  const csrfKey = deriveMacKey(config.secrets.cookieKeys.at(-1) ?? '', 'csrf')
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
  const languages = readLanguages(config.localesDir)
  const views = createViews({ brand, issuer, languages, isDevelopment: !config.production })

  const posting = composeMail({ ...common, views })
  const { messages, outbox } = posting
  const mailer = undo.use(openMailer(config))
  const keepDelivered = !config.production && !config.mail.smtpUrl
  const worker = undo.use(
    new OutboxWorker({
      ...common,
      keepDelivered,
      handlers: {
        mail: mailHandler(mailer),
        decoy: async () => undefined,
        backchannel_logout: (body, delivery) => logout.handler(body, delivery),
        client_logo: (body, delivery) => logos.handler(body, delivery),
      },
      policies: { backchannel_logout: LOGOUT_POLICY, client_logo: LOGO_POLICY },
    }),
  )

  const ways = await openWaysOut(config, options.outgoing)
  const logos = new Logos({ em, outbox, fetch: ways.toPictures })
  const clients = new Clients({
    em,
    audit,
    logos,
    mayName: ways.mayName,
    accountApi: { identifier: apiResource(issuer), scopes: [API_SCOPE] },
  })
  const clientSecrets = new ClientSecrets({ em, audit })
  const secretUses = undo.use(new SecretUses({ pool, logger }))
  const refusedRequests = undo.use(new RefusedRequests({ em, pool, logger }))
  const resources = new Resources({ em, audit, isOurs: ownIdentifiers(issuer) })
  const announcements = undo.use(await Announcements.open({ database, logger }))
  const { redisCommandMs } = options
  const storage = undo.use(
    await openStorage({ config, pool, announcements, logger, redisCommandMs }),
  )
  const { directory, redis, store } = storage
  const logout: BackChannelLogout = new BackChannelLogout({
    em,
    outbox,
    provider: () => protocol.authorizationServer.provider,
    findSession: async (uid) => (await store.adapterFor('Session').findByUid(uid)) ?? undefined,
    ways,
    logger,
  })
  const access = new AccessRevoker({ store, logout })

  const connected = { ...common, announcements, directory, ways }
  const upstream = composeUpstream(connected)
  const useCases = composeUseCases({ ...connected, ...upstream, hasher, messages, access })
  const arriving = composeArrivals({ ...common, messages, useCases, upstream })
  const { deletion } = useCases
  const retained = { em, pool, deletion, audit, auditRetentionDays: config.auditRetentionDays }
  const jobs = undo.use(new JobRunner({ pool, logger, jobs: retentionJobs(retained) }))
  const answerJobs = undo.use(
    new JobRunner({ pool, logger, jobs: shortLivedJobs({ pool }), pace: SOON }),
  )

  const keys = new SigningKeys({ em, box, timing: config.keys, audit })
  const renderer = createRenderer(views)
  const protocol = await composeProtocol({
    ...common,
    announcements,
    storage,
    sessionProviders: upstream.sessionProviders,
    useCases,
    keys,
    cookieKeys,
    secretUses,
    refusedRequests,
    logout,
    renderer,
    views,
    fetch: ways.toPublic,
    faults,
  })
  undo.use(protocol.keyWatch)

  const owned = undo.move()
  return {
    config,
    logger,
    database,
    readiness,
    faults,
    audit,
    jobs,
    answerJobs,
    redis,
    views,
    renderer,
    cookieKeys,
    csrfKey,
    box,
    hashProcess,
    hasher,
    ...posting,
    worker,
    clients,
    clientSecrets,
    secretUses,
    refusedRequests,
    logos,
    resources,
    directory,
    store,
    access,
    keys,
    ...protocol,
    ...upstream,
    ...arriving,
    ...useCases,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
