import { defineEntity, p } from '@mikro-orm/core'

/** Append-only and hash-chained (LG-04): each row's hash covers its content and the previous row's hash. */
const AuditEventSchema = defineEntity({
  name: 'AuditEvent',
  tableName: 'audit_event',
  indexes: [{ name: 'audit_event_account', properties: ['accountId', 'seq'] }],
  properties: {
    seq: p.bigint('number').primary().autoincrement(false),
    at: p.datetime(),
    type: p.string().length(48).index(),
    outcome: p.string().length(8).$type<'success' | 'failure'>(),
    /** The account as it is known; replaced by nothing else, so erasure leaves a pseudonym (LG-08). */
    accountId: p.uuid().nullable(),
    clientId: p.string().length(512).nullable(),
    sessionId: p.string().length(64).nullable(),
    ip: p.string().length(45).nullable(),
    userAgent: p.string().length(512).nullable(),
    requestId: p.string().length(64).nullable(),
    detail: p.json<Record<string, unknown>>(),
    /**
     * The hash covers a salted digest of address and browser: they are erased, with the salt, when
     * the account is.
     */
    originSalt: p.blob().hidden().nullable(),
    originDigest: p.blob().hidden(),
    previousHash: p.blob().hidden(),
    hash: p.blob().hidden(),
  },
})

export class AuditEvent extends AuditEventSchema.class {}
AuditEventSchema.setClass(AuditEvent)
