import { randomUUID } from 'node:crypto'
import { p } from '@mikro-orm/core'

/** A random UUID as the primary key. */
export const uuidKey = () =>
  p
    .uuid()
    .primary()
    .onCreate(() => randomUUID())

/** When the row was last changed through the ORM. */
export const updatedAt = () =>
  p
    .datetime()
    .onCreate(() => new Date())
    .onUpdate(() => new Date())
