import Router from '@koa/router'
import type { Context } from 'koa'
import type { NativeApp } from '../clients/native-app.ts'
import type { Config } from '../config/config.ts'
import { LIFETIMES } from '../config/limits.ts'
import { AppError } from '../errors.ts'
import type { ClientDirectory } from '../oidc/clients/directory.ts'

export interface AppFilesDeps {
  readonly config: Pick<Config, 'relatedOrigins'>
  readonly directory: Pick<ClientDirectory, 'nativeApps'>
}

/** Android takes passkeys from an app only if it may open the links of the host as well. */
const RELATIONS = [
  'delegate_permission/common.handle_all_urls',
  'delegate_permission/common.get_login_creds',
]

/**
 * What phones and browsers read of a host before they let an app, or a page of another origin, use
 * its passkeys. Where there are none, there is no file.
 */
export function appFileRoutes({ config, directory }: AppFilesDeps): Router {
  const router = new Router({ prefix: '/.well-known', strict: true })

  router.get('/assetlinks.json', async (ctx) => {
    const statements = (await directory.nativeApps.all()).flatMap(statementsOf)
    answer(ctx, statements.length, statements)
  })

  router.get('/apple-app-site-association', async (ctx) => {
    const apps = (await directory.nativeApps.all()).flatMap((app) =>
      'ios_app_id' in app ? [app.ios_app_id] : [],
    )
    answer(ctx, apps.length, { webcredentials: { apps } })
  })

  router.get('/webauthn', (ctx) => {
    const origins = config.relatedOrigins
    answer(ctx, origins.length, { origins })
  })
  return router
}

function statementsOf(app: NativeApp): unknown[] {
  if (!('android_package' in app)) return []
  const { android_package: package_name, sha256_cert_fingerprints } = app
  const target = { namespace: 'android_app', package_name, sha256_cert_fingerprints }
  return [{ relation: RELATIONS, target }]
}

function answer(ctx: Context, count: number, document: unknown): void {
  if (count === 0) throw new AppError('not_found')
  ctx.set('Cache-Control', `public, max-age=${LIFETIMES.jwksCache}`)
  ctx.type = 'application/json'
  ctx.body = JSON.stringify(document)
}
