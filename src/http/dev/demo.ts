import { readFileSync } from 'node:fs'
import Router from '@koa/router'
import type { BuiltInClient } from '../../clients/clients.ts'
import type { ResourceInput } from '../../clients/resource-fields.ts'
import { assets } from '../../views/views.ts'
import { DEMO_SCOPE, demoApi, demoHello } from './demo-api.ts'

/**
 * The sample app: public and of a third party, so that it is asked for everything that a stranger's
 * app is.
 */
export function demoClient(issuer: string): BuiltInClient {
  return {
    id: 'demo',
    name: 'Demo app',
    type: 'spa',
    redirectUris: [`${issuer}/demo`],
    postLogoutRedirectUris: [`${issuer}/demo`],
    resources: [demoApi(issuer)],
    scopes: ['openid', 'profile', 'email', 'offline_access', DEMO_SCOPE],
  }
}

/** The API that the sample app calls. */
export function demoResource(issuer: string): ResourceInput {
  return {
    identifier: demoApi(issuer),
    name: 'Demo API',
    scopes: [DEMO_SCOPE],
    scopeDescriptions: { [DEMO_SCOPE]: 'Say hello to you' },
  }
}

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** A relying party on the server's own origin, for development: a static page with a script, and an API. */
export function demoRoutes({ issuer }: { issuer: string }): Router {
  const stylesheet = [...assets().keys()].find((path) => path.endsWith('.css')) ?? ''
  const page = file('index.html').replace('{{stylesheet}}', stylesheet)
  const router = new Router({ prefix: '/demo' })
  for (const [path, type, body] of [
    ['/', 'html', page],
    ['/demo.js', 'js', file('demo.js')],
    ['/demo.css', 'css', file('demo.css')],
  ] as const)
    router.get(path, (ctx) => {
      ctx.set('Content-Security-Policy', POLICY)
      ctx.set('Cache-Control', 'no-cache')
      ctx.type = type
      ctx.body = body
    })
  router.get('/api/hello', demoHello(issuer))
  return router
}

function file(name: string): string {
  return readFileSync(new URL(`../../../views/demo/${name}`, import.meta.url), 'utf8')
}
