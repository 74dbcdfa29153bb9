import { defineEntity, p } from '@mikro-orm/core'
import { Account } from './account.ts'

/**
 * A browser that has signed in to the account before: no notice is mailed for it, and a lockout
 * does not stop it (RL-03, TF-12).
 */
const KnownDeviceSchema = defineEntity({
  name: 'KnownDevice',
  tableName: 'known_device',
  properties: {
    /** SHA-256 of the device cookie. */
    digest: p.blob().primary().hidden(),
    account: () => p.manyToOne(Account).deleteRule('cascade').primary(),
    /** When a passkey was offered here, and the person did not want one. */
    passkeyDeclinedAt: p.datetime().nullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
    lastSeenAt: p
      .datetime()
      .onCreate(() => new Date())
      .index(),
  },
})

export class KnownDevice extends KnownDeviceSchema.class {}
KnownDeviceSchema.setClass(KnownDevice)
