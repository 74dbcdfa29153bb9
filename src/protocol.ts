import type { SessionProviders } from './accounts/sessions/session-providers.ts'
import type { Audit } from './audit/audit.ts'
import type { RefusedRequests } from './clients/refused-requests.ts'
import type { Config } from './config/config.ts'
import type { CookieKeys } from './crypto/cookie-keys.ts'
import type { FaultLog } from './fault-log.ts'
import type { Announcements } from './feed/announcements.ts'
import { createProviderPages } from './http/provider-pages.ts'
import type { Renderer } from './http/renderer.ts'
import type { Logger } from './logger/logger.ts'
import { AuthorizationServer } from './oidc/authorization-server.ts'
import type { BackChannelLogout } from './oidc/back-channel-logout.ts'
import { GroupClaims } from './oidc/claims/group-claims.ts'
import { apiResource } from './oidc/clients/built-in-clients.ts'
import { checkingClientKeys } from './oidc/clients/client-keys.ts'
import { ResourceServers } from './oidc/clients/resource-servers.ts'
import type { SecretUses } from './oidc/clients/secret-uses.ts'
import { createFindAccount } from './oidc/find-account.ts'
import { createGrantLoader } from './oidc/grants.ts'
import { Interactions } from './oidc/interactions.ts'
import { KeyWatch } from './oidc/keys/key-watch.ts'
import type { SigningKeys } from './oidc/keys/signing-keys.ts'
import { SwitchHints } from './oidc/switch-hints.ts'
import { AccessTokens } from './oidc/tokens/access-tokens.ts'
import { FirstPartyTokens } from './oidc/tokens/first-party-tokens.ts'
import { RefreshAnswers } from './oidc/tokens/refresh-answers.ts'
import type { Fetch } from './outgoing/guarded-fetch.ts'
import type { Storage } from './stores.ts'
import type { UseCases } from './use-cases.ts'
import type { Views } from './views/views.ts'

export interface ProtocolDeps {
  readonly config: Config
  readonly announcements: Announcements
  readonly storage: Storage
  readonly sessionProviders: SessionProviders
  readonly useCases: UseCases
  readonly keys: SigningKeys
  readonly cookieKeys: CookieKeys
  readonly secretUses: SecretUses
  readonly refusedRequests: RefusedRequests
  readonly logout: BackChannelLogout
  readonly renderer: Renderer
  readonly views: Views
  readonly fetch: Fetch
  readonly logger: Logger
  readonly faults: FaultLog
  readonly audit: Audit
}

/** The authorization server, and what speaks to it from our own pages and API. */
export async function composeProtocol(deps: ProtocolDeps) {
  const { config, storage, useCases, renderer, audit } = deps
  const { directory, store, leewaySeconds } = storage
  const { accounts, acceptances, consents, memberships, sessions } = useCases
  const { signInPolicy, trustedDevices } = useCases
  const { issuer, lifetimes } = config
  const resourceServers = new ResourceServers({
    issuer,
    find: (identifier) => directory.findResource(identifier),
    lifetimeSeconds: lifetimes.accessToken,
  })
  const authorizationServer = await AuthorizationServer.create({
    ...deps,
    adapter: store.adapterFor,
    directory,
    refreshAnswers: new RefreshAnswers({
      keys: config.secrets.keyEncryptionKeys,
      leewaySeconds,
    }),
    findAccount: createFindAccount(accounts),
    consents,
    acceptances,
    signInPolicy,
    trustedDevices,
    sessions,
    loadExistingGrant: createGrantLoader(consents),
    hints: new SwitchHints({ refused: deps.refusedRequests, logger: deps.logger }),
    resources: resourceServers,
    groupClaims: new GroupClaims({ issuer, memberships, audit }),
    pages: createProviderPages(renderer),
    locales: deps.views.languages.tags,
    fetch: checkingClientKeys(deps.fetch),
    sessionRecords: {
      opened: (session, origin) => sessions.open({ ...session, door: 'pages' }, origin),
      seen: (id, expiresAt) => sessions.seen(id, expiresAt),
      ended: (id) => sessions.endSession(id, 'sign_out'),
    },
  })
  const provider = () => authorizationServer.provider
  const interactions = new Interactions({
    provider,
    consents,
    sessions,
    signInPolicy,
  })
  const accessTokens = new AccessTokens({ issuer, audience: apiResource(issuer), provider })
  const firstPartyTokens = new FirstPartyTokens({
    audit,
    issuer,
    provider,
    resources: resourceServers,
    sessions,
    accounts,
    sessionSeconds: lifetimes.refreshTokenAbsolute,
  })

  const keyWatch = new KeyWatch({
    ...deps,
    server: authorizationServer,
    timing: config.keys,
  })
  return { authorizationServer, interactions, accessTokens, firstPartyTokens, keyWatch }
}
