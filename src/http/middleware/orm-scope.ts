import { RequestContext } from '@mikro-orm/core'
import type { Middleware } from 'koa'
import type { MikroORM } from '../../database.ts'

/** One identity map per request. */
export function ormScope(orm: MikroORM): Middleware {
  return (_ctx, next) => RequestContext.create(orm.em, next)
}
