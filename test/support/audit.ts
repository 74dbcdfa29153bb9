import type { AuditSink } from '../../src/audit/event.ts'

/** For what is built without a server, and whose audit trail nobody reads. */
export const silentAudit: AuditSink = {
  record: () => undefined,
  append: async (tx) => tx.flush(),
}
