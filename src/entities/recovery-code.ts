import { defineEntity, p } from '@mikro-orm/core'
import { Account } from './account.ts'
import { uuidKey } from './columns.ts'

const RecoveryCodeSchema = defineEntity({
  name: 'RecoveryCode',
  tableName: 'recovery_code',
  properties: {
    id: uuidKey(),
    account: () => p.manyToOne(Account).deleteRule('cascade').index(),
    /** SHA-256 of account id and code (TF-09). */
    digest: p.blob().hidden(),
    position: p.integer(),
    usedAt: p.datetime().nullable(),
    /** Digest of the challenge that it answered: that one may finish with it again. */
    usedBy: p.blob().hidden().nullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
  },
})

export class RecoveryCode extends RecoveryCodeSchema.class {}
RecoveryCodeSchema.setClass(RecoveryCode)
