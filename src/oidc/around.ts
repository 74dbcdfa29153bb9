import type { Provider } from 'oidc-provider'
import type { AuditSink } from '../audit/event.ts'
import { readRequests } from './authorization/requests.ts'
import type { ResourceServers } from './clients/resource-servers.ts'
import { recordSessions, type SessionRecords } from './session-records.ts'
import { keepRequests } from './starting-again.ts'
import type { SwitchHints } from './switch-hints.ts'
import { followApiSessions } from './tokens/api-sessions.ts'
import { answerRevocations } from './tokens/revocation-answers.ts'
import { auditTokens } from './tokens/token-events.ts'
import { notePublicClient } from './tokens/token-params.ts'
import { requestUnits } from './trips/request-unit.ts'

export interface AroundDeps {
  readonly sessionRecords: SessionRecords
  readonly audit: AuditSink
  readonly resources: ResourceServers
  readonly hints: SwitchHints
}

/** The middleware around the provider's own, outermost first. */
export function around(
  provider: Provider,
  { sessionRecords, audit, resources, hints }: AroundDeps,
): Parameters<Provider['use']>[0][] {
  return [
    answerRevocations(),
    notePublicClient(provider),
    readRequests(provider, { resources, hints }),
    // Whatever fails further in, the sign-in that was about to be spent waits again.
    keepRequests(provider),
    // Rows of sessions are written once tokens are stored, and before the answer leaves.
    recordSessions(sessionRecords),
    followApiSessions(sessionRecords),
    // Tells of tokens that are stored, so it surrounds the unit that stores them.
    auditTokens(provider, audit),
    requestUnits(),
  ]
}
