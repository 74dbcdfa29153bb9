import type { AuditSink } from './audit/event.ts'
import type { SecretBox } from './crypto/secret-box.ts'
import type { Database } from './database/database.ts'
import type { Announcements } from './feed/announcements.ts'
import type { Logger } from './logger/logger.ts'
import type { WaysOut } from './outgoing/ways-out.ts'
import { ProviderStore } from './upstream/provider-store.ts'
import { Providers } from './upstream/providers.ts'
import { RelyingParty } from './upstream/relying-party.ts'

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
  return { providers, relyingParty, providerStore }
}
