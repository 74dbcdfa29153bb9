import type { Config } from './config/config.ts'
import type { SecretBox } from './crypto/secret-box.ts'
import type { Database } from './database/database.ts'
import type { Announcements } from './feed/announcements.ts'
import type { Logger } from './logger/logger.ts'
import type { WaysOut } from './outgoing/ways-out.ts'
import { Providers } from './upstream/providers.ts'
import { RelyingParty } from './upstream/relying-party.ts'

export interface UpstreamDeps {
  readonly config: Config
  readonly database: Database
  readonly box: SecretBox
  readonly announcements: Announcements
  readonly ways: Pick<WaysOut, 'toProviders'>
  readonly logger: Logger
}

/** What signs people in by servers of others; none of those is asked anything before a person comes. */
export function composeUpstream({ database, box, announcements, ways, logger }: UpstreamDeps) {
  const providers = new Providers({ em: database.em, announcements, logger })
  const relyingParty = new RelyingParty({ box, fetch: ways.toProviders })
  return { providers, relyingParty }
}
