import { defineEntity, p } from '@mikro-orm/core'
import { uuidKey } from './columns.ts'

export type TokenPurpose =
  | 'verify_email'
  | 'reset_password'
  | 'change_email'
  | 'undo_change_email'
  | 'change_password'
  | 'step_up'
  | 'prove_address'
  | 'sign_in'
  | 'undo_delete'
  | 'report_compromise'
  | 'recover'
  | 'recover_proven'
  | 'recover_grant'
  | 'recovery_hold'
  | 'recovery_cancelled'
  | 'stop_recovery'

/**
 * A mailed code and link, bound to subject, purpose and address; single use. Secrets are stored as
 * digests only (EM-01).
 */
const VerificationTokenSchema = defineEntity({
  name: 'VerificationToken',
  tableName: 'verification_token',
  indexes: [
    { name: 'verification_token_address', properties: ['address', 'purpose'] },
    {
      name: 'verification_token_recovery',
      expression: `create unique index "verification_token_recovery" on "verification_token" ("subject_id") where "purpose" in ('recovery_hold', 'recovery_cancelled')`,
    },
  ],
  properties: {
    id: uuidKey(),
    purpose: p.string().length(32).$type<TokenPurpose>(),
    /** The page that asked for it, by the id of its first token; null: this one is its first. */
    pageId: p.uuid().nullable(),
    /** Account or pending sign-up. */
    subjectId: p.uuid().index(),
    address: p.string().length(254),
    /**
     * HMAC of the six-digit code under a server key, so that a stolen table cannot be searched;
     * null where no mail went out.
     */
    codeDigest: p.blob().hidden().nullable(),
    /** SHA-256 of the 256-bit secret in the mailed link. */
    linkDigest: p.blob().hidden().nullable().unique(),
    /** Tries in its own page. */
    attempts: p.integer().default(0),
    credentialVersion: p.integer().default(0),
    createdAt: p.datetime().onCreate(() => new Date()),
    /** A recovery that waits opens nothing before; null: at once. */
    availableAt: p.datetime().nullable(),
    expiresAt: p.datetime().index(),
  },
})

export class VerificationToken extends VerificationTokenSchema.class {}
VerificationTokenSchema.setClass(VerificationToken)
