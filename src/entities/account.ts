import { defineEntity, p } from '@mikro-orm/core'
import { updatedAt, uuidKey } from './columns.ts'

export type AccountStatus = 'active' | 'disabled' | 'deleting'

/** The OpenID Connect `address` claim (OIDC Core 5.1.1). */
export interface PostalAddress {
  readonly formatted?: string
  readonly street_address?: string
  readonly locality?: string
  readonly region?: string
  readonly postal_code?: string
  readonly country?: string
}

const AccountSchema = defineEntity({
  name: 'Account',
  tableName: 'account',
  properties: {
    id: uuidKey(),
    name: p.string().length(100),
    /** `preferred_username`, in its folded spelling. Where none is named, the database gives one. */
    username: p.string().length(40).unique().default(''),
    /** Canonical form only (`canonicalEmail()`); proven before the row exists. */
    email: p.string().length(254).unique(),
    emailVerifiedAt: p.datetime().nullable(),
    phoneNumber: p.string().length(32).nullable(),
    imageUrl: p.string().length(2048).nullable(),
    locale: p.string().length(35).nullable(),
    address: p.json<PostalAddress>().nullable(),
    passwordHash: p.text().lazy().hidden().nullable(),
    passwordChangedAt: p.datetime().nullable(),
    /** Set when the account is compromised: sign-in is refused until the password is reset. */
    mustResetPassword: p.boolean().default(false),
    /** Rises with every change of password or address; one-time tokens of an older version are void. */
    credentialVersion: p.integer().default(1),
    status: p.string().length(16).$type<AccountStatus>().default('active'),
    /** Of TOTP alone. What others ask is `strongest`. */
    mfaEnabled: p.boolean().default(false),
    /** How strong a sign-in can be: `accounts/factors/levels.ts`. Counted by `recount` only. */
    strongest: p.smallint().$type<0 | 1 | 2>().default(0),
    /** It was asked for by the operator or an invitation: rules of who may register are not for it. */
    isInvited: p.boolean().default(false),
    deleteAfter: p.datetime().nullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
    updatedAt: updatedAt(),
  },
})

export class Account extends AccountSchema.class {
  isActive(): boolean {
    return this.status === 'active'
  }
}
AccountSchema.setClass(Account)
