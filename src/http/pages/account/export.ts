import type { Middleware } from 'koa'
import type { AccountExport } from '../../../accounts/export.ts'
import { presentExport } from '../../api/auth/export-shape.ts'
import { visitorOf } from './session.ts'

export interface ExportDeps {
  readonly accountExport: AccountExport
}

/**
 * Everything that is kept about the person, as a file: the same document as the JSON door's (UX-37,
 * LG-08).
 */
export function downloadExport({ accountExport }: ExportDeps): Middleware {
  return async (ctx) => {
    const { account, sessionId } = visitorOf(ctx)
    const document = presentExport(await accountExport.collect(account.id), sessionId)
    ctx.attachment(`account-${new Date().toISOString().slice(0, 10)}.json`)
    ctx.type = 'json'
    ctx.body = `${JSON.stringify(document, null, 2)}\n`
  }
}
