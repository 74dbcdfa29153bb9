import type { Configuration, Provider } from 'oidc-provider'
import type { AuditSink } from '../audit/event.ts'
import type { FaultLog } from '../fault-log.ts'
import type { Logger } from '../logger/logger.ts'
import type { Adapter } from './adapters/adapter.ts'
import { around } from './around.ts'
import { releaseGroups } from './claims/group-claims.ts'
import type { ClientDirectory } from './clients/directory.ts'
import { type NoteUse, useDigestedSecrets } from './clients/secrets.ts'
import { type ConfigurationDeps, createConfiguration } from './configuration.ts'
import { FastPath } from './fast-path/requests.ts'
import { signingHere } from './keys/external-key.ts'
import { verifyHintsBy } from './keys/hints.ts'
import type { KeySet, SigningKeys } from './keys/signing-keys.ts'
import { answerOutages } from './outages.ts'
import { explainRefusals, refuseLargeBodies } from './refusals.ts'
import { refuseTypesFirst } from './response-types.ts'
import type { SessionRecords } from './session-records.ts'
import { standing } from './standing.ts'
import type { SwitchHints } from './switch-hints.ts'
import { followSwitches } from './tokens/id-token-switches.ts'
import { rememberKeys } from './tokens/own-jwts.ts'
import type { RefreshAnswers } from './tokens/refresh-answers.ts'
import { repeatTokens } from './tokens/repeated-tokens.ts'
import { returnedJwts } from './tokens/returned-jwts.ts'
import { TokenBindings } from './tokens/token-bindings.ts'
import { readParamsFirst } from './tokens/token-params.ts'
import { TokenProvider } from './tokens/token-provider.ts'
import { findingOnce, prefetching } from './trips/prefetch.ts'
import { writingBehind } from './trips/write-behind.ts'

export interface AuthorizationServerDeps
  extends Omit<ConfigurationDeps, 'jwks' | 'adapter' | 'bindings'> {
  readonly adapter: (model: string) => Adapter
  readonly directory: Pick<ClientDirectory, 'honours' | 'isSinceRestore' | 'findResource'>
  readonly refreshAnswers: RefreshAnswers
  readonly secretUses: NoteUse
  readonly keys: SigningKeys
  readonly sessionRecords: SessionRecords
  readonly audit: AuditSink
  /** Takes over what the provider sends to apps when it ends a session. */
  readonly logout: { replaceIn(provider: Provider): void }
  readonly hints: SwitchHints
  readonly faults: FaultLog
  readonly logger: Logger
}

/**
 * Holds the running provider; a new one takes its place when the keys change, and requests in
 * flight finish on the old.
 */
export class AuthorizationServer {
  readonly #deps: AuthorizationServerDeps
  #provider: Provider
  #fastPath: FastPath
  #fingerprint: string

  static async create(deps: AuthorizationServerDeps): Promise<AuthorizationServer> {
    await deps.keys.ensure()
    const loaded = await deps.keys.load()
    return new AuthorizationServer(deps, createProvider(deps, loaded), loaded.fingerprint)
  }

  private constructor(deps: AuthorizationServerDeps, provider: Provider, fingerprint: string) {
    this.#deps = deps
    this.#provider = provider
    this.#fastPath = createFastPath(provider, deps)
    this.#fingerprint = fingerprint
  }

  get provider(): Provider {
    return this.#provider
  }

  /** To answers of the same provider. */
  get fastPath(): FastPath {
    return this.#fastPath
  }

  /** Takes over the keys of this moment; returns when they will change next by themselves. */
  async reloadKeys(): Promise<Date | undefined> {
    const loaded = await this.#deps.keys.load()
    const { fingerprint, nextChange } = loaded
    if (fingerprint !== this.#fingerprint) {
      this.#provider = createProvider(this.#deps, loaded)
      this.#fastPath = createFastPath(this.#provider, this.#deps)
      this.#fingerprint = fingerprint
    }
    return nextChange
  }
}

function createProvider(deps: AuthorizationServerDeps, { keys, hintKeys }: KeySet): Provider {
  const { refreshAnswers } = deps
  const findAccount = findingOnce(deps.findAccount)
  const judged = standing({
    adapterFor: deps.adapter,
    findAccount,
    honours: (...issued) => deps.directory.honours(...issued),
  })
  const prefetched = prefetching({ adapterFor: judged, findAccount, refreshAnswers })
  const bindings = new TokenBindings(deps.config.secrets.keyEncryptionKeys)
  const configuration: Configuration = createConfiguration({
    ...deps,
    bindings,
    adapter: returnedJwts({
      issuer: deps.config.issuer,
      provider: () => provider,
      adapterFor: writingBehind({ adapterFor: prefetched, refreshAnswers }),
      findAccount,
      directory: deps.directory,
      bindings,
    }),
    findAccount,
    jwks: { keys: keys.map(signingHere) },
  })
  const provider: Provider = new TokenProvider(deps.config.issuer, configuration, deps.resources)
  useDigestedSecrets(provider, deps.secretUses)
  nameSessions(provider)
  releaseGroups(provider, deps.groupClaims)
  readParamsFirst(provider)
  refuseTypesFirst(provider)
  verifyHintsBy(provider, hintKeys)
  refuseLargeBodies(provider)
  explainRefusals(provider, deps.logger)
  deps.hints.listenTo(provider)
  repeatTokens(provider)
  followSwitches(provider)
  for (const each of around(provider, deps)) provider.use(each)
  deps.logout.replaceIn(provider)
  rememberKeys(provider, keys)
  answerOutages(provider)
  provider.on('server_error', (ctx, error) => {
    deps.faults.report(error, ctx.state?.requestId)
  })
  return provider
}

function createFastPath(
  provider: Provider,
  {
    adapter,
    findAccount,
    sessionProviders,
    resources,
    audit,
    secretUses,
    groupClaims,
  }: AuthorizationServerDeps,
): FastPath {
  return new FastPath(provider, {
    clients: adapter('Client'),
    findAccount: findingOnce(findAccount),
    sessionProviders,
    resources,
    audit,
    secretUses,
    groupClaims,
  })
}

/**
 * Every ID token of the code flow has `sid`: a hint tells which sign-in it is of. The library gives
 * it to back-channel logout only.
 */
function nameSessions(provider: Provider): void {
  const { prototype } = provider.Client as unknown as { prototype: { includeSid: () => boolean } }
  prototype.includeSid = () => true
}
