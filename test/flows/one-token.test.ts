import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as oidc from 'openid-client'
import { freePort } from '../../src/embedded/free-port.ts'
import { Browser } from '../support/browser.ts'
import { run, settingsFor } from '../support/commands.ts'
import { createAccount, REDIRECT_URI } from '../support/factories.ts'
import { signIn } from '../support/protocol.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

// Every command is a process that starts cold; on a busy machine that takes seconds.
jest.setTimeout(120_000)

let server: TestServer
let folder: string
let api: { readonly url: string; close(): void }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-one-token-'))
  server = await startServer()
  api = await startApi(server.origin)
})
afterAll(async () => {
  api.close()
  await server.stop()
  await rm(folder, { recursive: true })
})

/** An API that checks signature, issuer, audience, type and scope with jose, and says who calls. */
async function startApi(issuer: string) {
  const port = await freePort()
  const url = `http://localhost:${port}/`
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`))
  const statusFor = async (authorization = '') => {
    const token = authorization.replace('Bearer ', '')
    const { payload } = await jwtVerify(token, keys, { issuer, audience: url, typ: 'at+jwt' })
    const may = String(payload['scope']).split(' ').includes('orders:read')
    return [may ? 200 : 403, payload.sub] as const
  }
  const answer = async ({ headers }: IncomingMessage, response: ServerResponse) => {
    const [status, body] = await statusFor(headers.authorization).catch(() => [401, ''] as const)
    response.writeHead(status).end(body)
  }
  const listener = createServer((...call) => void answer(...call)).listen(port, 'localhost')
  return { url, close: () => listener.close() }
}

async function call(token: string) {
  const response = await fetch(api.url, { headers: { authorization: `Bearer ${token}` } })
  return [response.status, await response.text()]
}

const create = (...options: string[]) =>
  run(
    ['client', 'create', '--name', 'Orders', '--redirect', REDIRECT_URI, ...options],
    settingsFor(server, folder),
  )

describe('client create --app-with-api', () => {
  it('one app, its person and its API in one token, by a library that knows no resource', async () => {
    const { code, stdout, stderr } = await create(
      '--app-with-api',
      api.url,
      '--api-scope',
      'orders:read=See your orders',
      'orders:write',
    )
    expect([code, stderr]).toEqual([0, ''])
    const env = parseEnv(stdout)
    expect(env).toMatchObject({
      OIDC_SCOPE: 'openid profile email offline_access orders:read orders:write',
      OIDC_AUDIENCE: api.url,
    })
    const app = await relyingParty(server, {
      clientId: env['OIDC_CLIENT_ID'] ?? '',
      clientSecret: env['OIDC_CLIENT_SECRET'],
      auth: oidc.ClientSecretPost(env['OIDC_CLIENT_SECRET'] ?? ''),
    })
    const person = await createAccount(server)
    const browser = new Browser(server.origin)
    const scope = 'openid profile email offline_access orders:read'
    await browser.visit(app.authorizationUrl({ scope }))
    const consent = await signIn(browser, person.email)
    expect(consent.words).toContain('See your orders')
    const { url } = await browser.submit('/consent', {}, { button: 'allow' })
    const tokens = await app.redeem(url)
    const sub = tokens.claims()?.sub ?? ''
    expect(sub).toBe(person.id)
    const renewed = await app.refresh(tokens.refresh_token ?? '')
    for (const each of [tokens, renewed]) {
      expect(await call(each.access_token)).toEqual([200, person.id])
      expect(await app.userinfo(each.access_token, sub)).toMatchObject({
        sub,
        email: person.email,
      })
    }
    const grown = app.refresh(renewed.refresh_token ?? '', { scope: 'orders:write' })
    await expect(grown).rejects.toMatchObject({ error: 'invalid_scope' })
    const less = await app.refresh(renewed.refresh_token ?? '', { scope: 'orders:read' })
    expect(await call(less.access_token)).toEqual([200, person.id])
    await expect(app.userinfo(less.access_token, sub)).rejects.toThrow()
    const apps = await browser.visit('/account/apps')
    expect(apps.words).toContain('See your orders')
    const remove = apps.forms.find(({ fields }) => fields.some(({ name }) => name === 'client_id'))
    await browser.submit(remove ?? 'missing')
    await expect(app.userinfo(renewed.access_token, sub)).rejects.toThrow()
    await expect(app.refresh(less.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })

  it('has a scope for an API of which no scopes are named, and registers both or neither', async () => {
    const usual = 'https://usual.example/'
    const first = await create('--app-with-api', usual, '--scope', 'openid email')
    expect(parseEnv(first.stdout)).toMatchObject({ OIDC_SCOPE: 'openid email api' })
    const counts = async () => [
      (await server.context.clients.list()).length,
      (await server.context.resources.list()).length,
    ]
    const before = await counts()
    const refused = async (...options: string[]) => (await create(...options)).stderr
    expect(await refused('--app-with-api', usual)).toContain(
      '--app-with-api: is registered already',
    )
    expect(await refused('--app-with-api', 'no-uri')).toContain('--app-with-api: must be')
    expect(
      await refused('--app-with-api', 'https://a.example/', '--api-scope', 'openid'),
    ).toContain('--api-scope (value 1): is a scope of OpenID Connect')
    expect(await refused('--api-scope', 'x')).toContain('--api-scope: is for --app-with-api')
    expect(
      await refused('--app-with-api', 'https://b.example/', '--scope', 'unheard:of'),
    ).toContain('--scope: of none of its APIs')
    expect(await counts()).toEqual(before)
  })
})
