import { createHash } from 'node:crypto'
import type { Middleware } from 'koa'
import { LIFETIMES } from '../config/limits.ts'
import type { AuthorizationServer } from '../oidc/authorization-server.ts'
import { endpointOf } from '../oidc/endpoints.ts'

interface Document {
  readonly body: Buffer
  readonly etag: string
  readonly headers: Readonly<Record<string, string | number>>
}

/**
 * Answers discovery and JWKS, which every client fetches and nobody changes, from bytes: the
 * provider's own first answer, kept until the keys change. Requests from other origins go on to the
 * provider, which knows CORS.
 */
export function publicDocuments(
  server: AuthorizationServer,
  { host }: { host: string },
): Middleware {
  let known: { provider: unknown; documents: Map<string, Document> } = {
    provider: undefined,
    documents: new Map(),
  }
  return async (ctx, next) => {
    const { req, res } = ctx
    const endpoint = endpointOf(ctx)
    if (
      req.method !== 'GET' ||
      endpoint?.kind !== 'document' ||
      req.url !== endpoint.path ||
      req.headers.host !== host
    )
      return next()
    if (known.provider !== server.provider)
      known = { provider: server.provider, documents: new Map() }
    const document = known.documents.get(endpoint.path)
    if (document && req.headers.origin === undefined) {
      ctx.respond = false
      const isKnown = req.headers['if-none-match'] === document.etag
      res.writeHead(
        isKnown ? 304 : 200,
        isKnown ? { ETag: document.etag, 'Cache-Control': CACHE, ...OPEN } : document.headers,
      )
      res.end(isKnown ? undefined : document.body)
      return
    }
    const { documents } = known
    await next()
    if (ctx.status !== 200 || typeof ctx.body !== 'object' || ctx.body === null) return
    const body = Buffer.from(JSON.stringify(ctx.body))
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`
    const own = {
      'Content-Type': ctx.response.get('content-type'),
      'Content-Length': body.length,
      ETag: etag,
      'Cache-Control': CACHE,
      ...OPEN,
    }
    documents.set(endpoint.path, { body, etag, headers: own })
    ctx.set({ ETag: etag, 'Cache-Control': CACHE })
    ctx.body = body
    ctx.set('Content-Type', own['Content-Type'])
  }
}

const CACHE = `public, max-age=${LIFETIMES.jwksCache}`
/** As the provider says it: a shared cache may keep this answer and give it to an app in another origin. */
const OPEN = { Vary: 'Origin', 'Access-Control-Allow-Origin': '*' }
