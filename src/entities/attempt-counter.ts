import { defineEntity, p } from '@mikro-orm/core'

/**
 * The ledger of failed attempts (RL-01, RL-06): one row per subject and factor, written before the
 * check it guards.
 */
const AttemptCounterSchema = defineEntity({
  name: 'AttemptCounter',
  tableName: 'attempt_counter',
  properties: {
    /** SHA-256 of what is guarded: an address, known or not, or an account id. */
    subject: p.blob().primary(),
    factor: p.string().length(16).$type<'password' | 'otp' | 'mailed-code' | 'mail'>().primary(),
    failures: p.integer().default(0),
    windowStartedAt: p.datetime().onCreate(() => new Date()),
    blockedUntil: p.datetime().nullable(),
    updatedAt: p
      .datetime()
      .onCreate(() => new Date())
      .index(),
  },
})

export class AttemptCounter extends AttemptCounterSchema.class {}
AttemptCounterSchema.setClass(AttemptCounter)
