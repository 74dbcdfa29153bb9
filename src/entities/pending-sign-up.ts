import { defineEntity, p } from '@mikro-orm/core'
import { uuidKey } from './columns.ts'

/**
 * A sign-up whose address is not proven yet. No account exists before the proof, so nobody can prepare
 * one for somebody else's address (EM-11). `id` becomes the account's id.
 */
const PendingSignUpSchema = defineEntity({
  name: 'PendingSignUp',
  tableName: 'pending_sign_up',
  properties: {
    id: uuidKey(),
    email: p.string().length(254).index(),
    name: p.string().length(100),
    locale: p.string().length(35).nullable(),
    passwordHash: p.text().hidden(),
    /** The app that the person came from. */
    clientId: p.string().length(512).nullable(),
    /** The one that lets this person register. */
    invitationId: p.uuid().nullable(),
    /** The version of the terms that was accepted with it. */
    termsVersion: p.string().length(32).nullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
    expiresAt: p.datetime().index(),
  },
})

export class PendingSignUp extends PendingSignUpSchema.class {}
PendingSignUpSchema.setClass(PendingSignUp)
