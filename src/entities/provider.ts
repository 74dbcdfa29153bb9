import { defineEntity, p } from '@mikro-orm/core'
import { updatedAt } from './columns.ts'

/** Which file of `src/upstream/providers` knows how to speak to it. */
export type ProviderKindName = 'oidc' | 'google' | 'github' | 'apple' | 'microsoft'

/** Whether what a provider said of a sign-in still counts for the account, in SQL. */
export function stillVouches(providerId: string, accountId: string): string {
  return `exists (select from "identity" as "vi" join "provider" as "vp" on "vp"."id" = "vi"."provider_id" where "vi"."account_id" = ${accountId} and "vi"."provider_id" = ${providerId} and "vi"."suspended_at" is null and "vp"."disabled_at" is null and "vp"."settings" @> '{"trustAmr":true}')`
}

/** Somebody else's server that people may sign in with. */
const ProviderSchema = defineEntity({
  name: 'Provider',
  tableName: 'provider',
  properties: {
    /** A part of the callback's address, which is registered over there: it never changes. */
    id: p.string().length(40).primary(),
    kind: p.string().length(16).$type<ProviderKindName>(),
    name: p.string().length(100),
    /** Null: the one of its kind. */
    issuer: p.string().length(512).nullable(),
    clientId: p.string().length(255),
    /** Client secret or private key, sealed for `provider:<id>`. */
    secretBox: p.blob().hidden().nullable(),
    scopes: p.array().$type<string[]>(),
    /** By the schema of its kind, `src/upstream/provider-settings.ts`. */
    settings: p.json<Readonly<Record<string, unknown>>>().default('{}'),
    position: p.integer().default(0),
    version: p.integer().default(1),
    disabledAt: p.datetime().nullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
    updatedAt: updatedAt(),
  },
})

export class Provider extends ProviderSchema.class {}
ProviderSchema.setClass(Provider)
