import Koa from 'koa'
import type { Context } from './context.ts'
import { StatelessChallenges } from './crypto/challenge.ts'
import { authApi } from './http/api/auth/index.ts'
import { apiDocsRoutes } from './http/api/docs/index.ts'
import { appFileRoutes } from './http/app-files.ts'
import { assetRoutes } from './http/assets.ts'
import { createCookie } from './http/cookies.ts'
import { developmentPages } from './http/dev/index.ts'
import { createDeviceCookie } from './http/device-cookie.ts'
import { fastPath } from './http/fast-path.ts'
import { healthRoutes } from './http/health.ts'
import { interactionRoutes } from './http/interactions/index.ts'
import { logoRoutes } from './http/logos.ts'
import { crossOrigin } from './http/middleware/cross-origin.ts'
import { createCsrf } from './http/middleware/csrf.ts'
import { errorHandler } from './http/middleware/errors.ts'
import { issuerHostOnly } from './http/middleware/host.ts'
import { presentHtml } from './http/middleware/html-errors.ts'
import { endpoints } from './http/middleware/known-endpoints.ts'
import { methods } from './http/middleware/methods.ts'
import { protocolGuard } from './http/middleware/protocol-guard.ts'
import { createRateLimit, memoryLimits } from './http/middleware/rate-limit.ts'
import { redisLimits } from './http/middleware/redis-limits.ts'
import { requestContext } from './http/middleware/request-context.ts'
import { requestLog } from './http/middleware/request-log.ts'
import { securityHeaders } from './http/middleware/security-headers.ts'
import { accountRoutes } from './http/pages/account/index.ts'
import { createFlowCookie } from './http/pages/flow-cookie.ts'
import { forgotPasswordRoutes } from './http/pages/forgot-password.ts'
import { pageRoutes } from './http/pages/index.ts'
import { invitationRoutes } from './http/pages/invitation.ts'
import { mailLinkRoutes } from './http/pages/mail-links.ts'
import { createNoticeCookie } from './http/pages/notice-cookie.ts'
import { createPassCookie } from './http/pages/recovery/deps.ts'
import { recoveryRoutes } from './http/pages/recovery/index.ts'
import { resetPasswordRoutes } from './http/pages/reset-password.ts'
import { upstreamRoutes } from './http/pages/upstream.ts'
import { mountProvider } from './http/provider.ts'
import { publicDocuments } from './http/public-documents.ts'
import { SignUpTrap } from './http/sign-up-trap.ts'
import { SignUpWork } from './http/sign-up-work.ts'
import { createUpstreamCookie } from './http/upstream-cookie.ts'
import { upstreamLogoutRoutes } from './http/upstream-logout.ts'
import { webFinger } from './http/webfinger.ts'
import { cookieNames } from './oidc/configuration.ts'

export interface AppOptions {
  /** True from the signal on: readiness then fails. */
  readonly isStopping?: () => boolean
}

/** The HTTP surface, in the order in which a request meets it. */
export function createApp(context: Context, { isStopping = () => false }: AppOptions = {}): Koa {
  const { config, logger, renderer, authorizationServer } = context
  const { issuer } = config
  const isHttps = issuer.startsWith('https:')
  const csrf = createCsrf({ issuer, key: context.csrfKey })
  const limit = createRateLimit(
    context.redis ? redisLimits(context.redis) : memoryLimits(),
    config.limits,
    (limit, origin) =>
      context.audit.record({ type: 'rate_limited', outcome: 'failure', origin, detail: { limit } }),
  )

  const signUpFlow = createFlowCookie('sign-up', { isHttps })
  const deviceCookie = createDeviceCookie({ isHttps })
  const upstreamCookie = createUpstreamCookie({ isHttps })
  const invitationCookie = createCookie('invitation', {
    isHttps,
    isSigned: true,
    maxAgeMs: 3_600_000,
  })

  const app = new Koa()
  app.keys = context.cookieKeys
  bindToIssuer(app, issuer)
  app.on('error', (error: unknown) => logger.error({ err: error }, 'response failed'))

  app.use(endpoints())
  app.use(
    requestContext({
      trustedProxyHops: config.trustedProxyHops,
      sessionCookies: Object.values(cookieNames(issuer)),
      logger,
    }),
  )
  app.use(requestLog(logger))
  app.use(securityHeaders({ isHttps }))
  app.use(crossOrigin(context.directory.origins))
  app.use(publicDocuments(authorizationServer, { host: new URL(issuer).host }))
  app.use(healthRoutes({ ...context, isStopping }))
  app.use(authApi({ ...context, issuer }, limit))
  app.use(errorHandler(context.faults, presentHtml(renderer, context.signInPolicy)))
  app.use(methods())
  app.use(issuerHostOnly(issuer))
  app.use(protocolGuard(limit))
  app.use(fastPath(authorizationServer))
  const challenges = new StatelessChallenges(config.secrets.cookieKeys, 'sign-up')
  const { proofOfWork: mode, fillSeconds } = config
  const { mailCaps, database } = context
  const work = new SignUpWork({ mode, challenges, mailCaps, pool: database.pool })
  const signUpTrap = new SignUpTrap({ challenges, fillSeconds, work })
  const ofSignIn = { csrf, deviceCookie, signUpFlow, invitationCookie, upstreamCookie, signUpTrap }
  app.use(interactionRoutes({ ...context, issuer, ...ofSignIn }, limit).routes())
  app.use(upstreamLogoutRoutes({ ...context, limit }).routes())
  app.use(upstreamRoutes({ ...context, csrf, limit, upstreamCookie }).routes())
  app.use(webFinger(config))
  app.use(appFileRoutes(context).routes())
  app.use(mountProvider(authorizationServer, renderer))
  app.use(assetRoutes(context.views).routes())
  app.use(logoRoutes(context.database).routes())
  app.use(apiDocsRoutes({ issuer, name: config.brand.name, renderer }).routes())
  app.use(pageRoutes({ ...context, issuer }).routes())
  const ofArea = { csrf, upstreamCookie, ...accountCookies(isHttps) }
  app.use(accountRoutes({ ...context, issuer, ...ofArea }, limit).routes())
  app.use(mailLinkRoutes({ ...context, csrf, limit, signUpFlow }).routes())
  app.use(invitationRoutes({ ...context, csrf, limit, invitationCookie }).routes())
  const flow = createFlowCookie('reset', { isHttps })
  const resetDeps = { ...context, csrf, limit, deviceCookie, flow }
  app.use(forgotPasswordRoutes(resetDeps).routes())
  app.use(resetPasswordRoutes(resetDeps).routes())
  const recoveryFlow = createFlowCookie('recover', { isHttps })
  const recoveryPass = createPassCookie({ isHttps })
  app.use(
    recoveryRoutes({ ...context, csrf, limit, deviceCookie, recoveryFlow, recoveryPass }).routes(),
  )
  if (!config.production) app.use(developmentPages(context))
  return app
}

/** Where a browser is in the account pages' flows of two steps, and what it is told next. */
function accountCookies(isHttps: boolean) {
  return {
    notices: createNoticeCookie({ isHttps }),
    emailFlow: createFlowCookie('change-email', { isHttps }),
    passwordFlow: createFlowCookie('change-password', { isHttps }),
  }
}

/**
 * The issuer is the only source of absolute URLs and of what is secure: never Host, X-Forwarded-*
 * or the socket.
 */
function bindToIssuer(app: Koa, issuer: string): void {
  const { protocol, host } = new URL(issuer)
  Object.defineProperties(app.request, {
    protocol: { get: () => protocol.slice(0, -1) },
    host: { get: () => host },
    secure: { get: () => protocol === 'https:' },
  })
}
