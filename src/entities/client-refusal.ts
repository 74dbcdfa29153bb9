import { defineEntity, p } from '@mikro-orm/core'
import { Client } from './client.ts'

/** The last request of an app that was refused for want of a switch: one row for each switch. */
const ClientRefusalSchema = defineEntity({
  name: 'ClientRefusal',
  tableName: 'client_refusal',
  properties: {
    client: () => p.manyToOne(Client).deleteRule('cascade').primary(),
    /** A word of `src/clients/needed-switch.ts`. */
    lack: p.string().length(32).primary(),
    /** As far as it decides which switch; anybody may have sent it. */
    detail: p.json<Readonly<Record<string, unknown>>>(),
    firstAt: p.datetime(),
    lastAt: p.datetime().index(),
  },
})

export class ClientRefusal extends ClientRefusalSchema.class {}
ClientRefusalSchema.setClass(ClientRefusal)
