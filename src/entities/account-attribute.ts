import { defineEntity, p } from '@mikro-orm/core'
import { Account } from './account.ts'
import { AttributeDefinition } from './attribute-definition.ts'

/** What an account says of one attribute; without a row it says nothing. */
const AccountAttributeSchema = defineEntity({
  name: 'AccountAttribute',
  tableName: 'account_attribute',
  properties: {
    account: () => p.manyToOne(Account).deleteRule('cascade').primary(),
    name: () =>
      p.manyToOne(AttributeDefinition).fieldName('name').deleteRule('cascade').primary().mapToPk(),
    value: p.json<string>(),
  },
})

export class AccountAttribute extends AccountAttributeSchema.class {}
AccountAttributeSchema.setClass(AccountAttribute)
