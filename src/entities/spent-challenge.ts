import { defineEntity, p } from '@mikro-orm/core'

/** A challenge of a passkey that has been answered. Nothing is stored of those that were not. */
const SpentChallengeSchema = defineEntity({
  name: 'SpentChallenge',
  tableName: 'spent_challenge',
  properties: {
    digest: p.blob().primary(),
    expiresAt: p.datetime().index(),
  },
})

export class SpentChallenge extends SpentChallengeSchema.class {}
SpentChallengeSchema.setClass(SpentChallenge)
