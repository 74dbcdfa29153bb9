import { defineEntity, p } from '@mikro-orm/core'
import { Session } from './session.ts'

/** That somebody proved, at the account API and for one client of one session, who they are. */
const SessionProofSchema = defineEntity({
  name: 'SessionProof',
  tableName: 'session_proof',
  properties: {
    session: () => p.manyToOne(Session).deleteRule('cascade').primary(),
    clientId: p.string().length(512).primary(),
    /** How many factors the account had when it was proven at its level. */
    level: p.smallint(),
    provedAt: p.datetime(),
  },
})

export class SessionProof extends SessionProofSchema.class {}
SessionProofSchema.setClass(SessionProof)
