import { createServer } from 'node:http'
import { accessTokens, Refusal } from './access-token.js'

const { OIDC_ISSUER, OIDC_AUDIENCE, PORT = '8081' } = process.env
if (!OIDC_ISSUER || !OIDC_AUDIENCE) throw new Error('Fill in .env first: see README.md')

const guard = await accessTokens({ issuer: OIDC_ISSUER, audience: OIDC_AUDIENCE })
/** Notes by the `sub` they belong to: what a caller may see follows from the token, never from the request. */
const notes = new Map()

const routes = {
  'GET /notes': async (request) => {
    const { sub } = await guard(request, 'notes:read')
    return [200, notes.get(sub) ?? []]
  },
  'POST /notes': async (request) => {
    const { sub, client_id: by } = await guard(request, 'notes:write')
    const note = { text: await text(request), by }
    notes.set(sub, [...(notes.get(sub) ?? []), note])
    return [201, note]
  },
}

const server = createServer((request, response) => {
  void respond(request, response)
})
server.listen(Number(PORT), 'localhost', () =>
  console.log(`Notes API at http://localhost:${server.address().port}`),
)

async function respond(request, response) {
  const [status, body, headers] = await answer(request)
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(JSON.stringify(body))
}

async function answer(request) {
  const [path] = request.url.split('?')
  const route = routes[`${request.method} ${path}`]
  if (!route) return [404, { error: 'not_found' }]
  try {
    return await route(request)
  } catch (error) {
    if (error instanceof Refusal)
      return [error.status, { error: error.message }, { 'www-authenticate': error.challenge }]
    console.error(error.message)
    return [500, { error: 'server_error' }]
  }
}

async function text(request) {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) if (body.length < 10_000) body += chunk
  return body.slice(0, 10_000)
}
