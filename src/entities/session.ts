import { defineEntity, p } from '@mikro-orm/core'
import { Account } from './account.ts'
import { trustHolds } from './known-device.ts'
import { stillVouches } from './provider.ts'

/**
 * One sign-in of one account on one device, through either door. `id` is the provider session's `uid` and the
 * `sid` of first-party access tokens; it is no credential. Without this row the sign-in is over.
 */
const SessionSchema = defineEntity({
  name: 'Session',
  tableName: 'session',
  indexes: [
    {
      name: 'session_upstream',
      expression:
        'create index "session_upstream" on "session" ("provider_id", "upstream_sid") where "upstream_sid" is not null',
    },
  ],
  properties: {
    id: p.string().length(64).primary(),
    account: () => p.manyToOne(Account).deleteRule('cascade').index(),
    ip: p.string().length(45).nullable(),
    userAgent: p.string().length(512).nullable(),
    /** Through which door it was opened: hosted pages or the JSON API. */
    door: p.string().length(8).$type<'pages' | 'api'>(),
    amr: p.array().$type<string[]>(),
    acr: p.string().length(64).nullable(),
    isRemembered: p.boolean().default(false),
    authenticatedAt: p.datetime(),
    /** When a second factor was shown last, were it a recovery code. */
    secondProvedAt: p.datetime().nullable(),
    /** Seconds since then, by the clock that wrote it. */
    secondProvedAgo: p
      .float()
      .formula((columns) => `extract(epoch from now() - ${columns.secondProvedAt})::float8`)
      .nullable(),
    /** Of the account: a recovery waits until then, in milliseconds. */
    recoveryOpensMs: p
      .float()
      .formula(
        (columns) =>
          `(select extract(epoch from "t"."available_at")::float8 * 1000 from "verification_token" as "t" where "t"."subject_id" = ${columns.account} and "t"."purpose" = 'recovery_hold' and "t"."expires_at" > now())`,
      )
      .lazy()
      .nullable(),
    /** The provider that it was signed in with, and the session there, whose end is the end of this one. */
    providerId: p.string().length(40).nullable(),
    upstreamSid: p.string().length(255).nullable(),
    /** That provider, which is trusted to say so, said that two factors were shown there. */
    broughtTwo: p.boolean().default(false),
    /** Whether it still counts. */
    isVouched: p
      .boolean()
      .formula(
        ({ broughtTwo, providerId, account }) =>
          `(${broughtTwo} and ${stillVouches(`${providerId}`, `${account}`)})`,
      )
      .lazy()
      .nullable(),
    /** The provider that was come by last, also before a sign-in by another way; and since when. */
    idp: p.string().length(40).nullable(),
    idpSince: p.datetime().nullable(),
    /** SHA-256 of the cookie of the device whose trust did for the second step. */
    trustedDevice: p.blob().nullable(),
    /** Whether that trust still holds. */
    isTrusted: p
      .boolean()
      .formula(({ trustedDevice, account }) =>
        trustHolds(
          `${trustedDevice}`,
          `${account}`,
          `(select "credential_version" from "account" where "id" = ${account})`,
        ),
      )
      .lazy()
      .nullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
    lastSeenAt: p.datetime().onCreate(() => new Date()),
    expiresAt: p.datetime().index(),
  },
})

export class Session extends SessionSchema.class {}
SessionSchema.setClass(Session)
