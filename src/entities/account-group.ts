import { defineEntity, p } from '@mikro-orm/core'
import type { ManagedBy } from './client.ts'
import { uuidKey } from './columns.ts'

/** People who are something together. Flat: no group is in another. */
const AccountGroupSchema = defineEntity({
  name: 'AccountGroup',
  tableName: 'account_group',
  indexes: [
    {
      name: 'account_group_name',
      expression: `create unique index "account_group_name" on "account_group" (coalesce("organisation_id", '00000000-0000-0000-0000-000000000000'::uuid), "name_key")`,
    },
  ],
  properties: {
    id: uuidKey(),
    /** For organisations, which come later: null is the server's own. */
    organisationId: p.uuid().nullable(),
    /** As apps see it. */
    name: p.string().length(100),
    /** What is unique: the name without the difference of upper and lower case. */
    nameKey: p.string().length(200),
    displayName: p.string().length(100).nullable(),
    description: p.string().length(500).nullable(),
    /** Its id where it comes from, if that is not here. */
    externalId: p.string().length(255).nullable(),
    sourceId: p.uuid().nullable(),
    managedBy: p.string().length(8).$type<ManagedBy>().default('operator'),
    version: p.integer().default(1),
    createdAt: p.datetime().onCreate(() => new Date()),
  },
})

export class AccountGroup extends AccountGroupSchema.class {}
AccountGroupSchema.setClass(AccountGroup)
