import { AddressProof } from './accounts/identities/address-proof.ts'
import { Joining } from './accounts/identities/joining.ts'
import { Meetings } from './accounts/identities/meetings.ts'
import { ProviderRemoval } from './accounts/identities/provider-removal.ts'
import { SessionProviders } from './accounts/sessions/session-providers.ts'
import type { AuditSink } from './audit/event.ts'
import type { Config } from './config/config.ts'
import type { SecretBox } from './crypto/secret-box.ts'
import type { Database } from './database/database.ts'
import type { Announcements } from './feed/announcements.ts'
import type { Logger } from './logger/logger.ts'
import type { Messages } from './mail/messages.ts'
import type { WaysOut } from './outgoing/ways-out.ts'
import { AppCodes } from './upstream/app-codes.ts'
import { UpstreamArrivals } from './upstream/arrivals.ts'
import { UpstreamFlows } from './upstream/flows.ts'
import { UpstreamJourneys } from './upstream/journeys.ts'
import { ProviderStore } from './upstream/provider-store.ts'
import { Providers } from './upstream/providers.ts'
import { RelyingParty } from './upstream/relying-party.ts'
import { Tickets } from './upstream/tickets.ts'
import { UpstreamLogout } from './upstream/upstream-logout.ts'
import type { UseCases } from './use-cases.ts'

export interface UpstreamDeps {
  readonly database: Database
  readonly box: SecretBox
  readonly audit: AuditSink
  readonly announcements: Announcements
  readonly ways: Pick<WaysOut, 'toProviders' | 'mayName'>
  readonly logger: Logger
}

/** What signs people in by servers of others; none of those is asked anything before a person comes. */
export function composeUpstream({
  database,
  box,
  audit,
  announcements,
  ways,
  logger,
}: UpstreamDeps) {
  const providers = new Providers({ em: database.em, announcements, logger })
  const relyingParty = new RelyingParty({ box, fetch: ways.toProviders })
  const { mayName } = ways
  const providerStore = new ProviderStore({ em: database.em, box, audit, mayName })
  const sessionProviders = new SessionProviders(database)
  return { providers, relyingParty, providerStore, sessionProviders }
}

export interface ArrivalDeps {
  readonly config: Config
  readonly database: Database
  readonly box: SecretBox
  readonly audit: AuditSink
  readonly messages: Messages
  readonly useCases: Pick<
    UseCases,
    'acceptances' | 'identities' | 'registration' | 'sessions' | 'signInPolicy' | 'tokens'
  >
  readonly upstream: ReturnType<typeof composeUpstream>
}

/** The way there and back, and what it leads to. */
export function composeArrivals(deps: ArrivalDeps) {
  const { config, database, box, audit, messages, useCases, upstream } = deps
  const { acceptances, identities, registration, sessions, signInPolicy, tokens } = useCases
  const { em, pool } = database
  const arrivals = new UpstreamArrivals({ pool, box })
  const flows = new UpstreamFlows({ pool, box })
  const { issuer } = config
  return {
    arrivals,
    appCodes: new AppCodes(arrivals),
    tickets: new Tickets(box),
    journeys: new UpstreamJourneys({ ...upstream, issuer, audit, flows, arrivals }),
    meetings: new Meetings({ pool, audit }),
    addressProof: new AddressProof({ em, tokens, messages, registration }),
    upstreamLogout: new UpstreamLogout({ ...upstream, pool, sessions, audit }),
    providerRemoval: new ProviderRemoval({ em, audit, messages, policy: signInPolicy }),
    joining: new Joining({ em, arrivals, identities, registration, acceptances }),
  }
}
