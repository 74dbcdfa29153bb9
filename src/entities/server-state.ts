import { randomUUID } from 'node:crypto'
import { defineEntity, p } from '@mikro-orm/core'

/** One row about the database as a whole. */
const ServerStateSchema = defineEntity({
  name: 'ServerState',
  tableName: 'server_state',
  properties: {
    id: p.boolean().primary().default(true),
    /** Changes with every restore of a backup: what was issued under an earlier one has ended. */
    epoch: p.uuid().onCreate(() => randomUUID()),
    restoredAt: p.datetime().nullable(),
    note: p.text().nullable(),
    /** Written by readiness, which wants to know whether it can be. */
    checkedAt: p.datetime().nullable(),
  },
})

export class ServerState extends ServerStateSchema.class {}
ServerStateSchema.setClass(ServerState)
