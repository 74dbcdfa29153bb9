import { defineEntity, p } from '@mikro-orm/core'
import { Client } from './client.ts'
import { uuidKey } from './columns.ts'

/** One of the secrets that a client may show; several at a time, so that they change without a break. */
const ClientSecretSchema = defineEntity({
  name: 'ClientSecret',
  tableName: 'client_secret',
  properties: {
    id: uuidKey(),
    client: () => p.manyToOne(Client).deleteRule('cascade').index(),
    /** As `secret_digest` of the client, which is that of the newest (TK-07). */
    digest: p.string().length(64).hidden(),
    label: p.string().length(100).nullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
    expiresAt: p.datetime().nullable(),
    /** To the hour. */
    lastUsedAt: p.datetime().nullable(),
  },
})

export class ClientSecret extends ClientSecretSchema.class {}
ClientSecretSchema.setClass(ClientSecret)
