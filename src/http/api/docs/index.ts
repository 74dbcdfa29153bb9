import Router from '@koa/router'
import { productVersion } from '../../../config/version.ts'
import type { Renderer } from '../../renderer.ts'
import { ACCOUNT_API } from '../auth/index.ts'
import { openApiDocument } from './document.ts'
import { apiDocsModel } from './page-model.ts'

export interface ApiDocsDeps {
  readonly issuer: string
  readonly name: string
  readonly renderer: Renderer
}

const DOCUMENT = '/api/openapi.json'

/**
 * The account API for programs and for people; both are made of the operations that the router
 * is made of, when first asked for.
 */
export function apiDocsRoutes({ issuer, name, renderer }: ApiDocsDeps): Router {
  const router = new Router()
  let document: string | undefined
  let page: ReturnType<typeof apiDocsModel> | undefined

  router.get(DOCUMENT, (ctx) => {
    document ??= JSON.stringify(
      openApiDocument(ACCOUNT_API, { issuer, name, version: productVersion() }),
    )
    ctx.type = 'json'
    ctx.set('Cache-Control', 'no-cache')
    ctx.body = document
  })
  router.get('/api/docs', (ctx) => {
    page ??= apiDocsModel(ACCOUNT_API, { name, documentHref: DOCUMENT, issuer })
    renderer.page(ctx, 'pages/api-docs', page)
  })
  return router
}
