import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { importJWK, SignJWT } from 'jose'
import { freePort } from '../../src/embedded/free-port.ts'
import { Browser, type Page } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
const running: ChildProcess[] = []

beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => {
  for (const child of running) child.kill()
  await server.stop()
})

/** Runs a program under examples/ and waits for the line that says where it listens. */
function run(file: string, settings: Readonly<Record<string, string>>): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', ...settings }
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../examples', file)], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  return new Promise((resolve, reject) => {
    let said = ''
    const listen = (chunk: Buffer): void => {
      said += chunk.toString()
      const [origin] = /http:\/\/localhost:\d+/.exec(said) ?? []
      if (origin) resolve(origin)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    child.on('exit', (code) => reject(new Error(`${file} ended with ${code}: ${said}`)))
  })
}

describe('examples/express-app', () => {
  let origin: string
  beforeAll(async () => {
    origin = `http://localhost:${await freePort()}`
    const { client, secret = '' } = await server.context.clients.create({
      name: 'Express example',
      redirectUris: [`${origin}/callback`],
      postLogoutRedirectUris: [`${origin}/`],
    })
    const settings = {
      OIDC_ISSUER: server.origin,
      OIDC_CLIENT_ID: client.id,
      OIDC_CLIENT_SECRET: secret,
      OIDC_REDIRECT_URI: `${origin}/callback`,
    }
    expect(await run('express-app/app.js', settings)).toBe(origin)
  })

  /** Sign-in up to the consent page, in one browser that visits both sites. */
  async function consentPage(app: Browser, gatehouse: Browser): Promise<Page> {
    const account = await createAccount(server, { name: 'Ada & "Co" <b>' })
    const away = await app.visit('/sign-in')
    expect(away.isForeign).toBe(true)
    await gatehouse.visit(away.url)
    return gatehouse.submit('/login', { username: account.email, password: account.password })
  }

  it('signs a person in and out, at both ends', async () => {
    const [app, gatehouse] = [new Browser(origin), new Browser(server.origin)]
    expect((await app.visit('/')).words).toContain('Sign in')
    expect((await consentPage(app, gatehouse)).words).toContain('Express example')
    const back = await gatehouse.submit('/consent', {}, { button: 'allow' })
    const home = await app.visit(back.url)
    expect([home.url.pathname, home.h1]).toEqual(['/', 'Hello, Ada & "Co" <b>'])

    const away = await app.submit('/sign-out', {})
    expect(away.url.pathname).toBe('/session/end')
    const confirm = await gatehouse.visit(away.url)
    expect(confirm.words).toContain('Express example')
    const out = await gatehouse.submit(0, {}, { button: 'yes' })
    expect(out.url.href).toBe(`${origin}/`)
    expect((await app.visit('/')).words).toContain('Sign in')
  })

  it('starts a new session id at sign-in, and takes an answer once', async () => {
    const [app, gatehouse] = [new Browser(origin), new Browser(server.origin)]
    await consentPage(app, gatehouse)
    const before = app.jar.header(new URL(origin))
    const back = await gatehouse.submit('/consent', {}, { button: 'allow' })
    await app.visit(back.url)
    expect(app.jar.header(new URL(origin))).not.toBe(before)
    const again = await app.visit(back.url)
    expect(again.url.origin).toBe(server.origin)
  })

  it('says so when the person declines', async () => {
    const [app, gatehouse] = [new Browser(origin), new Browser(server.origin)]
    await consentPage(app, gatehouse)
    const back = await gatehouse.submit('/consent', {}, { button: 'deny' })
    const page = await app.visit(back.url)
    expect([page.status, page.h1]).toEqual([400, 'You declined'])
  })

  it.each<[string, (answer: URL) => void]>([
    ['of another request (state)', (answer) => answer.searchParams.set('state', 'x'.repeat(43))],
    ['of another server (iss)', (answer) => answer.searchParams.set('iss', 'https://evil.example')],
    ['without iss', (answer) => answer.searchParams.delete('iss')],
    ['with a made-up code', (answer) => answer.searchParams.set('code', 'x'.repeat(43))],
  ])('refuses an answer %s', async (_what, change) => {
    const [app, gatehouse] = [new Browser(origin), new Browser(server.origin)]
    await consentPage(app, gatehouse)
    const back = await gatehouse.submit('/consent', {}, { button: 'allow' })
    change(back.url)
    const page = await app.visit(back.url)
    expect([page.status, page.h1]).toEqual([expect.any(Number), 'That did not work'])
    expect(page.status).toBeGreaterThanOrEqual(400)
    expect((await app.visit('/')).words).toContain('Sign in')
  })
})

describe('examples/node-api', () => {
  const audience = 'https://notes.example/'
  let origin: string
  let token: string
  beforeAll(async () => {
    await server.context.resources.create({
      identifier: audience,
      name: 'Notes',
      scopes: ['notes:read', 'notes:write'],
    })
    origin = await run('node-api/api.js', {
      OIDC_ISSUER: server.origin,
      OIDC_AUDIENCE: audience,
      PORT: '0',
    })
    token = await issue('notes:read notes:write')
  })

  async function issue(scope: string): Promise<string> {
    const { client, secret = '' } = await server.context.clients.create({
      name: 'Note taker',
      type: 'service',
      resources: [audience],
    })
    const app = await relyingParty(server, { clientId: client.id, clientSecret: secret })
    return (await app.clientCredentials({ resource: audience, scope })).access_token
  }

  const call = (method: string, authorization?: string, body?: string) =>
    send(`${origin}/notes`, {
      method,
      headers: authorization ? { authorization } : {},
      ...(body ? { body } : {}),
    })

  it('takes a token of its own audience, and keeps each caller to its own notes', async () => {
    expect((await call('POST', `Bearer ${token}`, 'Water the ferns')).status).toBe(201)
    expect(await (await call('GET', `Bearer ${token}`)).json()).toEqual([
      { text: 'Water the ferns', by: expect.any(String) },
    ])
    expect(await (await call('GET', `Bearer ${await issue('notes:read')}`)).json()).toEqual([])
  })

  it('refuses with 403 what the scope does not allow', async () => {
    const answer = await call('POST', `Bearer ${await issue('notes:read')}`, 'x')
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      403,
      'Bearer realm="notes", error="insufficient_scope", scope="notes:write"',
    ])
  })

  it('challenges a request without a token, without an error code (RFC 6750 3.1)', async () => {
    const answer = await call('GET')
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="notes"',
    ])
  })

  /** A token as this server would sign it, but for one thing. */
  async function forge({
    claims = {},
    typ = 'at+jwt',
  }: {
    claims?: Readonly<Record<string, unknown>>
    typ?: string
  } = {}): Promise<string> {
    const [jwk] = (await server.context.keys.load()).keys.filter(({ alg }) => alg === 'ES256')
    if (!jwk) throw new Error('no ES256 key')
    const now = Math.floor(Date.now() / 1000)
    return new SignJWT({
      iss: server.origin,
      aud: audience,
      sub: 'someone',
      client_id: 'someone',
      jti: 'x',
      scope: 'notes:read',
      iat: now,
      exp: now + 60,
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', typ, kid: jwk.kid })
      .sign(await importJWK(jwk, 'ES256'))
  }

  it('verifies what the server signed, so that the next refusals are for their reason', async () => {
    expect((await call('GET', `Bearer ${await forge()}`)).status).toBe(200)
  })

  it.each<[string, () => Promise<string> | string]>([
    ['for another API (aud)', () => forge({ claims: { aud: 'https://other.example/' } })],
    ['of another server (iss)', () => forge({ claims: { iss: 'https://evil.example' } })],
    ['that is expired (exp)', () => forge({ claims: { exp: 1 } })],
    ['that never expires', () => forge({ claims: { exp: undefined } })],
    ['that is an ID token (typ, JW-03)', () => forge({ typ: 'JWT' })],
    ['that is a logout token (typ, JW-03)', () => forge({ typ: 'logout+jwt' })],
    ['without a client', () => forge({ claims: { client_id: undefined } })],
    ['that is opaque', () => 'x'.repeat(43)],
    [
      'that is unsigned',
      () => `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.e30.`,
    ],
    ['with a changed signature', () => `${token.slice(0, -6)}AAAAAA`],
  ])('refuses a token %s', async (_what, make) => {
    const answer = await call('GET', `Bearer ${await make()}`)
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="notes", error="invalid_token"',
    ])
  })
})
