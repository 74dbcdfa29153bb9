import { defineEntity, p } from '@mikro-orm/core'
import { Account } from './account.ts'

/** That a person has accepted a version of one of the operator's documents, and when. Never changed. */
const AcceptanceSchema = defineEntity({
  name: 'Acceptance',
  tableName: 'acceptance',
  properties: {
    account: () => p.manyToOne(Account).deleteRule('cascade').primary(),
    document: p.string().length(32).primary(),
    version: p.string().length(32).primary(),
    /** Of the page on which it was accepted. */
    locale: p.string().length(35).nullable(),
    acceptedAt: p.datetime(),
  },
})

export class Acceptance extends AcceptanceSchema.class {}
AcceptanceSchema.setClass(Acceptance)
