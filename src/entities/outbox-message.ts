import { defineEntity, p } from '@mikro-orm/core'
import { uuidKey } from './columns.ts'
import { VerificationToken } from './verification-token.ts'

/** `decoy`: written like a mail and thrown away, where an address gets none (EN-02). */
export type OutboxTopic = 'mail' | 'decoy' | 'backchannel_logout' | 'client_logo'

/**
 * Something to deliver after the transaction that wrote it, at least once. The body is encrypted:
 * mail holds codes.
 */
const OutboxMessageSchema = defineEntity({
  name: 'OutboxMessage',
  tableName: 'outbox_message',
  properties: {
    id: uuidKey(),
    topic: p.string().length(24).$type<OutboxTopic>(),
    bodyBox: p.blob().hidden(),
    /** Planned for something that may be called off: it goes with that. */
    about: () => p.manyToOne(VerificationToken).deleteRule('cascade').index().nullable(),
    attempts: p.integer().default(0),
    createdAt: p.datetime().onCreate(() => new Date()),
    /** When it may be tried (next); doubles as the lease while a worker holds it. */
    availableAt: p
      .datetime()
      .onCreate(() => new Date())
      .index(),
    deliveredAt: p.datetime().nullable(),
    /** Set when it is given up: visible to the operator, never retried. */
    failedAt: p.datetime().nullable(),
    lastError: p.string().length(500).nullable(),
  },
})

export class OutboxMessage extends OutboxMessageSchema.class {}
OutboxMessageSchema.setClass(OutboxMessage)
