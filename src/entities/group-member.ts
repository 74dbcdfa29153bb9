import { defineEntity, p } from '@mikro-orm/core'
import { Account } from './account.ts'
import { AccountGroup } from './account-group.ts'

/** That somebody is in a group, by each source that says so: one may end and another stay. */
const GroupMemberSchema = defineEntity({
  name: 'GroupMember',
  tableName: 'group_member',
  properties: {
    group: () => p.manyToOne(AccountGroup).deleteRule('cascade').primary(),
    account: () => p.manyToOne(Account).deleteRule('cascade').primary().index(),
    /** `operator`, or the id of what it is synchronised from. */
    source: p.string().length(64).primary().default('operator'),
    since: p.datetime().onCreate(() => new Date()),
    until: p.datetime().nullable(),
  },
})

export class GroupMember extends GroupMemberSchema.class {}
GroupMemberSchema.setClass(GroupMember)
