import { LOGO_POLICY } from './clients/logos.ts'
import type { Config } from './config/config.ts'
import { type CoreOptions, createCore } from './core.ts'
import { CookieKeys } from './crypto/cookie-keys.ts'
import { deriveMacKey } from './crypto/token.ts'
import { FaultLog } from './fault-log.ts'
import { createRenderer } from './http/renderer.ts'
import { mailHandler } from './mail/handler.ts'
import { openMailer } from './mail/open-mailer.ts'
import { LOGOUT_POLICY } from './oidc/back-channel-logout.ts'
import { OutboxWorker } from './outbox/index.ts'
import { composeProtocol } from './protocol.ts'
import { Readiness } from './readiness.ts'
import { retentionJobs, shortLivedJobs } from './retention/jobs.ts'
import { JobRunner, SOON } from './retention/runner.ts'

export type ContextOptions = CoreOptions
export type Context = Awaited<ReturnType<typeof createContext>>

/**
 * The composition root: every object of the server. To the core come the authorization server, its
 * pages and what works in the background. Disposing it ends what was started.
 */
export async function createContext(config: Config, options: ContextOptions = {}) {
  await using undo = new AsyncDisposableStack()
  const core = undo.use(await createCore(config, options))
  const { database, audit, deletion, logger, logos, logout, ways } = core
  const views = core.views()
  const { em, pool } = database
  const faults = new FaultLog({ logger })
  const readiness = undo.use(new Readiness({ pool, logger }))

  const mailer = undo.use(openMailer(config))
  const keepDelivered = !config.production && !config.mail.smtpUrl
  const worker = undo.use(
    new OutboxWorker({
      ...core,
      keepDelivered,
      handlers: {
        mail: mailHandler(mailer),
        decoy: async () => undefined,
        backchannel_logout: logout.handler,
        client_logo: logos.handler,
      },
      policies: { backchannel_logout: LOGOUT_POLICY, client_logo: LOGO_POLICY },
    }),
  )
  const retained = { em, pool, deletion, audit, auditRetentionDays: config.auditRetentionDays }
  const jobs = undo.use(new JobRunner({ pool, logger, jobs: retentionJobs(retained) }))
  const answerJobs = undo.use(
    new JobRunner({ pool, logger, jobs: shortLivedJobs({ pool }), pace: SOON }),
  )

  const cookieKeys = new CookieKeys(config.secrets.cookieKeys)
  const csrfKey = deriveMacKey(config.secrets.cookieKeys.at(-1) ?? '', 'csrf')
  const renderer = createRenderer(views)
  const protocol = await composeProtocol({
    ...core,
    cookieKeys,
    views,
    renderer,
    fetch: ways.toPublic,
    faults,
  })
  undo.use(protocol.keyWatch)

  const owned = undo.move()
  return {
    ...core,
    faults,
    readiness,
    worker,
    jobs,
    answerJobs,
    cookieKeys,
    csrfKey,
    views,
    renderer,
    ...protocol,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
