import ipaddr from 'ipaddr.js'
import type { Middleware, Context as Request } from 'koa'
import compose from 'koa-compose'
import type { Config } from '../../config/config.ts'
import { demoRoutes } from './demo.ts'
import { type DevInboxDeps, devInbox } from './inbox.ts'

interface DevelopmentDeps extends Omit<DevInboxDeps, 'issuer'> {
  readonly config: Pick<Config, 'issuer' | 'devInbox' | 'mail'>
}

/**
 * What only development has. It tells everybody's codes: who is not on this machine, or came
 * through a proxy, finds nothing unless `DEV_INBOX` is set.
 */
export function developmentPages(deps: DevelopmentDeps): Middleware {
  const { issuer, devInbox: isForAll, mail } = deps.config
  const pages = compose([
    ...(mail.smtpUrl ? [] : [devInbox({ ...deps, issuer }).routes() as Middleware]),
    demoRoutes({ issuer }).routes() as Middleware,
  ])
  return (ctx, next) => (isForAll || isFromHere(ctx) ? pages(ctx, next) : next())
}

/** Headers by which a proxy says for whom it asks. */
const FORWARDED =
  /^(forwarded|via|x-forwarded-.+|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/

function isFromHere({ req }: Request): boolean {
  const { remoteAddress = '' } = req.socket
  if (!ipaddr.isValid(remoteAddress) || ipaddr.process(remoteAddress).range() !== 'loopback')
    return false
  return !Object.keys(req.headers).some((name) => FORWARDED.test(name))
}
