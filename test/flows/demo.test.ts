import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { demoClient, demoResource } from '../../src/http/dev/demo.ts'
import { chromium } from '../support/chromium.ts'
import { createAccount } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
const web = chromium()

beforeAll(async () => {
  server = await startServer()
  await server.context.resources.ensure(demoResource(server.origin))
  await server.context.clients.ensure(demoClient(server.origin))
})
afterAll(() => server.stop())

describe('the demo app', () => {
  it('signs a person in, calls its API and userinfo, refreshes, and signs out', async () => {
    const account = await createAccount(server, { name: 'Grace Hopper' })
    const page = await web.newPage()
    const complaints: string[] = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    const answer = page.locator('#answer pre')

    await page.goto(`${server.origin}/demo`)
    await page.click('#sign-in')
    await page.fill('input[name=username]', account.email)
    await page.fill('input[name=password]', account.password)
    await page.click('main form button.primary')
    await page.click('button[value=allow]')

    await page.waitForSelector('#signed-in:not([hidden])')
    expect(await page.textContent('h1')).toBe('Hello, Grace Hopper')
    expect(page.url()).toBe(`${server.origin}/demo`)
    expect(await page.locator('.token').count()).toBe(3)

    await page.click('#call-api')
    await page.locator('#answer pre', { hasText: 'demo:read' }).waitFor()
    expect(JSON.parse((await answer.textContent()) ?? '')).toMatchObject({
      sub: account.id,
      client_id: 'demo',
      scope: 'demo:read',
    })

    await page.click('#call-userinfo')
    await page.locator('#answer pre', { hasText: 'email_verified' }).waitFor()
    expect(JSON.parse((await answer.textContent()) ?? '')).toMatchObject({
      sub: account.id,
      email: account.email,
      email_verified: true,
    })

    await page.click('#refresh')
    await page.waitForSelector('#status:not([hidden])')
    expect(await page.textContent('#status')).toMatch(/^New tokens/)

    await page.click('#sign-out')
    await page.click('main form button')
    await page.waitForURL('**/demo')
    await page.waitForSelector('#status:not([hidden])')
    expect(await page.textContent('#status')).toBe('You have signed out.')
    expect(complaints).toEqual([])
  })

  it('says so when the person declines', async () => {
    const account = await createAccount(server)
    const page = await web.newPage({ viewport: { width: 320, height: 640 } })
    await page.goto(`${server.origin}/demo`)
    await page.click('#sign-in')
    await page.fill('input[name=username]', account.email)
    await page.fill('input[name=password]', account.password)
    await page.click('main form button.primary')
    await page.click('button[value=deny]')
    await page.waitForSelector('#status:not([hidden])')
    expect(await page.textContent('#status')).toBe('You declined. Nothing was shared.')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
  })

  it('refuses an answer that it did not ask for, and takes the code out of the address', async () => {
    const page = await web.newPage()
    await page.goto(
      `${server.origin}/demo?code=stolen&state=made-up&iss=${encodeURIComponent(server.origin)}`,
    )
    await page.waitForSelector('#status:not([hidden])')
    expect(await page.textContent('#status')).toMatch(/belongs to no request/)
    expect(page.url()).toBe(`${server.origin}/demo`)
  })

  it('WB-01 runs under a policy of its own that allows no inline script', async () => {
    const { headers } = await send(`${server.origin}/demo`)
    expect(headers.get('content-security-policy')).toContain("script-src 'self';")
    expect(headers.get('content-security-policy')).not.toContain('unsafe')
  })
})

describe('the demo API', () => {
  const hello = (authorization?: string) =>
    send(`${server.origin}/demo/api/hello`, { headers: authorization ? { authorization } : {} })

  it('answers a token for it with its scope', async () => {
    const app = await service(['demo:read'])
    const { access_token: token } = await app.clientCredentials({
      resource: `${server.origin}/demo/api`,
      scope: 'demo:read',
    })
    const answer = await hello(`Bearer ${token}`)
    expect([answer.status, await answer.json()]).toEqual([
      200,
      expect.objectContaining({ scope: 'demo:read', client_id: app.clientId }),
    ])
  })

  it('asks for more scope with 403 (RFC 6750 3.1)', async () => {
    const app = await service(['demo:read'])
    const { access_token: token } = await app.clientCredentials({
      resource: `${server.origin}/demo/api`,
    })
    const answer = await hello(`Bearer ${token}`)
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      403,
      expect.stringContaining('insufficient_scope'),
    ])
  })

  it('TK-15 challenges a request without a token, without an error code', async () => {
    const answer = await hello()
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="demo"',
    ])
  })

  it('TK-17 refuses a token for another API', async () => {
    const identifier = 'https://other.example/'
    await server.context.resources.create({ identifier, name: 'Other', scopes: ['demo:read'] })
    const app = await service(['demo:read'], [identifier])
    const { access_token: token } = await app.clientCredentials({
      resource: identifier,
      scope: 'demo:read',
    })
    expect((await hello(`Bearer ${token}`)).status).toBe(401)
  })

  it.each([
    'Bearer',
    'Bearer x',
    'Bearer a.b.c',
    'bearer  x',
    'Basic eDp5',
    'Bearer x, Bearer y',
    'Bearer eyJhbGciOiJub25lIn0.e30.',
  ])('TK-08 refuses %j with 401', async (authorization) => {
    expect((await hello(authorization)).status).toBe(401)
  })

  async function service(scopes: string[], resources = [`${server.origin}/demo/api`]) {
    const { client, secret = '' } = await server.context.clients.create({
      name: 'Export',
      type: 'service',
      resources,
      scopes,
    })
    return relyingParty(server, { clientId: client.id, clientSecret: secret })
  }
})
