import { defineEntity, p } from '@mikro-orm/core'
import { Account } from './account.ts'
import { uuidKey } from './columns.ts'

/**
 * The state between the password and the second factor. It is not a session: it opens the code step
 * and nothing else (TF-06).
 */
const MfaChallengeSchema = defineEntity({
  name: 'MfaChallenge',
  tableName: 'mfa_challenge',
  properties: {
    id: uuidKey(),
    account: () => p.manyToOne(Account).deleteRule('cascade').index(),
    digest: p.blob().hidden().unique(),
    /** Digest of what it belongs to: an interaction, the JSON API, a step of one session. */
    binding: p.string().length(128),
    /** The methods that were shown before it; the version before knows of passwords only. */
    firstStep: p.array().$type<string[]>().default(['password']),
    /** What a trusted provider said of how the person signed in there, as in `amr`. */
    told: p.array().$type<string[]>().default([]),
    /** By which provider the person came, and its name for the sign-in there. */
    providerId: p.string().length(40).nullable(),
    upstreamSid: p.string().length(255).nullable(),
    attempts: p.integer().default(0),
    /** Since when it has been answered; null again if what it was answered for did not come about. */
    spentAt: p.datetime().nullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
    expiresAt: p.datetime().index(),
  },
})

export class MfaChallenge extends MfaChallengeSchema.class {}
MfaChallengeSchema.setClass(MfaChallenge)
