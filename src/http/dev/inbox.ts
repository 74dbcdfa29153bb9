import Router from '@koa/router'
import type { Context } from 'koa'
import type { SecretBox } from '../../crypto/secret-box.ts'
import type { Database } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import { nonceOf } from '../middleware/security-headers.ts'
import { InboxMails } from './inbox-mails.ts'
import { inboxPage, mailPage } from './inbox-page.ts'

export interface DevInboxDeps {
  readonly database: Database
  readonly box: SecretBox
  readonly issuer: string
}

/**
 * The mailbox of every address, for development: shows one-time codes, so it is never mounted in
 * production.
 */
export function devInbox({ database, box, issuer }: DevInboxDeps): Router {
  const mails = new InboxMails({ pool: database.pool, box })
  const router = new Router({ prefix: '/dev/inbox' })

  router.get('/', async (ctx) => {
    const to = typeof ctx.query['to'] === 'string' ? ctx.query['to'].slice(0, 254) : ''
    const list = await mails.list(to)
    if (ctx.accepts('html', 'json') === 'json') show(ctx, { json: list })
    else show(ctx, { page: inboxPage(list, to, nonceOf(ctx)) })
  })
  router.delete('/', async (ctx) => {
    if (ctx.get('origin') !== issuer) throw new AppError('forbidden')
    await mails.clear()
    ctx.status = 204
  })
  router.get('/:id', async (ctx) => show(ctx, { page: mailPage(await get(ctx), nonceOf(ctx)) }))
  router.get('/:id/html', async (ctx) => show(ctx, { mail: (await get(ctx)).html }))
  return router

  async function get(ctx: Context & { params: Record<string, string> }) {
    const mail = await mails.find(ctx.params['id'] ?? '')
    if (!mail) throw new AppError('not_found')
    return mail
  }
}

/** The page holds no script of its own, uses the pages' one to copy codes, and frames only itself. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
/** The mail has no origin and loads nothing; its links open in a tab of their own. */
const MAIL_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"

function show(
  ctx: Context,
  content: { readonly json: unknown } | { readonly page: string } | { readonly mail: string },
): void {
  ctx.set('Cache-Control', 'no-store')
  ctx.vary('Accept')
  if ('json' in content) {
    ctx.body = content.json
    return
  }
  ctx.type = 'html'
  if ('page' in content) {
    ctx.set('Content-Security-Policy', `${PAGE_POLICY}; style-src 'nonce-${nonceOf(ctx)}'`)
    ctx.body = content.page
    return
  }
  ctx.set('Content-Security-Policy', MAIL_POLICY)
  ctx.set('X-Frame-Options', 'SAMEORIGIN')
  ctx.body = content.mail.replace(/<head>/i, '$&<base target="_blank">')
}
