import { defineEntity, p } from '@mikro-orm/core'

/**
 * SHA-256 of each user name that an account has or had, erased accounts included: none is given
 * again. The trigger of `account` writes it.
 */
const GivenUsernameSchema = defineEntity({
  name: 'GivenUsername',
  tableName: 'given_username',
  properties: {
    digest: p.string().length(64).primary(),
  },
})

export class GivenUsername extends GivenUsernameSchema.class {}
GivenUsernameSchema.setClass(GivenUsername)
