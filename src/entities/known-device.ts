import { defineEntity, p } from '@mikro-orm/core'
import { Account } from './account.ts'

/** Whether the owner's trust in a browser holds, in SQL: of a digest, an account and its version. */
export function trustHolds(digest: string, accountId: string, version: string): string {
  return `exists (select from "known_device" as "kd" where "kd"."digest" = ${digest} and "kd"."account_id" = ${accountId} and "kd"."trusted_until" > now() and "kd"."trusted_version" = ${version})`
}

/** What ends it. */
export const DISTRUST = '"trusted_until" = null, "trusted_version" = null, "trusted_agent" = null'

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
    /** The owner let it skip the second step until then, while the credentials are of this version. */
    trustedUntil: p.datetime().nullable(),
    trustedVersion: p.integer().nullable(),
    /** By what it is called in the owner's list. */
    trustedAgent: p.string().length(512).nullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
    lastSeenAt: p
      .datetime()
      .onCreate(() => new Date())
      .index(),
  },
})

export class KnownDevice extends KnownDeviceSchema.class {}
KnownDeviceSchema.setClass(KnownDevice)
