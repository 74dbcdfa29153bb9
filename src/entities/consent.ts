import { defineEntity, p } from '@mikro-orm/core'
import { Account } from './account.ts'
import { Client } from './client.ts'
import { updatedAt } from './columns.ts'

/**
 * What an account allowed an app, remembered beyond one session and grant. Deleting it makes the
 * app ask again.
 */
const ConsentSchema = defineEntity({
  name: 'Consent',
  tableName: 'consent',
  properties: {
    account: () => p.manyToOne(Account).deleteRule('cascade').primary(),
    client: () => p.manyToOne(Client).deleteRule('cascade').primary(),
    scopes: p.array().$type<string[]>(),
    /** Scopes by resource indicator. */
    resourceScopes: p.json<Record<string, string[]>>(),
    /** Of the person, asked for one by one (OIDC Core 5.5). */
    claims: p.array().$type<string[]>().default([]),
    grantedAt: p.datetime().onCreate(() => new Date()),
    updatedAt: updatedAt(),
  },
})

export class Consent extends ConsentSchema.class {}
ConsentSchema.setClass(Consent)
