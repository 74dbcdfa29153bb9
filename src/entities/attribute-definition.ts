import { defineEntity, p } from '@mikro-orm/core'

/** What a value must look like: `accounts/attributes/values.ts`. */
export type AttributeType = 'text' | 'date' | 'url' | 'zone' | 'address'

/** What accounts may have beside the columns of `account`. The migrations bring the rows. */
const AttributeDefinitionSchema = defineEntity({
  name: 'AttributeDefinition',
  tableName: 'attribute_definition',
  properties: {
    name: p.string().length(64).primary(),
    type: p.string().length(16).$type<AttributeType>(),
    /** The scope that releases it. */
    scope: p.string().length(64),
    /** Who fills it in: the person, or the operator alone. */
    editableBy: p.string().length(8).$type<'user' | 'admin'>().default('user'),
    /** Where values come from, if not from here. */
    source: p.string().length(64).nullable(),
    inIdToken: p.boolean().default(false),
    maxLength: p.smallint(),
    /** Whether people see it. */
    isOn: p.boolean().default(false),
  },
})

export class AttributeDefinition extends AttributeDefinitionSchema.class {}
AttributeDefinitionSchema.setClass(AttributeDefinition)
