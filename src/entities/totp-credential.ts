import { defineEntity, p } from '@mikro-orm/core'
import { Account } from './account.ts'
import { uuidKey } from './columns.ts'

/**
 * A TOTP secret (RFC 6238), encrypted with the account id as associated data (TF-01); inactive
 * until confirmed (TF-04).
 */
const TotpCredentialSchema = defineEntity({
  name: 'TotpCredential',
  tableName: 'totp_credential',
  indexes: [
    {
      name: 'totp_credential_confirmed',
      expression:
        'create unique index "totp_credential_confirmed" on "totp_credential" ("account_id") where "confirmed_at" is not null',
    },
  ],
  properties: {
    id: uuidKey(),
    account: () => p.manyToOne(Account).deleteRule('cascade').index(),
    secretBox: p.blob().hidden(),
    /** The last accepted time step; only a higher one is accepted next (TF-03). */
    lastStep: p.bigint('number').default(0),
    /** Digest of the challenge that it answered: that one may finish with it again. */
    lastStepBy: p.blob().hidden().nullable(),
    confirmedAt: p.datetime().nullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
    expiresAt: p.datetime().nullable(),
  },
})

export class TotpCredential extends TotpCredentialSchema.class {}
TotpCredentialSchema.setClass(TotpCredential)
