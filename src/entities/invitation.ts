import { defineEntity, p } from '@mikro-orm/core'
import { uuidKey } from './columns.ts'

/** What lets somebody register who may not otherwise. Of its secret only the digest is kept. */
const InvitationSchema = defineEntity({
  name: 'Invitation',
  tableName: 'invitation',
  properties: {
    id: uuidKey(),
    /** SHA-256 of the 256-bit secret in the link. */
    digest: p.blob().hidden().unique(),
    /** Canonical; it is for nobody else. Null: for who has the link. */
    email: p.string().length(254).nullable(),
    /** The link was mailed to that address, so who has it has the mailbox. */
    isMailed: p.boolean().default(false),
    locale: p.string().length(35).nullable(),
    /** The app that the person is led to. */
    clientId: p.string().length(512).nullable(),
    maxUses: p.integer().default(1),
    uses: p.integer().default(0),
    revokedAt: p.datetime().nullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
    expiresAt: p.datetime().index(),
  },
})

export class Invitation extends InvitationSchema.class {}
InvitationSchema.setClass(Invitation)
