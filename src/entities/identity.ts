import { defineEntity, p } from '@mikro-orm/core'
import { Account } from './account.ts'
import { uuidKey } from './columns.ts'
import { Provider } from './provider.ts'

/** How it came to the account. */
export type LinkedBy = 'sign_up' | 'link' | 'import'

/**
 * Who somebody is at an upstream provider. The issuer that signed is part of the key: it differs
 * from tenant to tenant, and a row of `provider` may be pointed elsewhere (UP-01).
 */
const IdentitySchema = defineEntity({
  name: 'Identity',
  tableName: 'identity',
  uniques: [{ name: 'identity_key', properties: ['provider', 'issuer', 'subject'] }],
  properties: {
    id: uuidKey(),
    account: () => p.manyToOne(Account).deleteRule('cascade').index(),
    provider: () => p.manyToOne(Provider).deleteRule('restrict'),
    issuer: p.string().length(512),
    subject: p.string().length(255),
    /** As the provider said when it was linked: for its owner to know it by, never to find it by. */
    email: p.string().length(254).nullable(),
    displayName: p.string().length(100).nullable(),
    linkedAt: p.datetime().onCreate(() => new Date()),
    linkedBy: p.string().length(8).$type<LinkedBy>(),
    lastUsedAt: p.datetime().nullable(),
    /** Since a reset or a report: it lets nobody in until its owner connects it once more. */
    suspendedAt: p.datetime().nullable(),
  },
})

export class Identity extends IdentitySchema.class {}
IdentitySchema.setClass(Identity)
