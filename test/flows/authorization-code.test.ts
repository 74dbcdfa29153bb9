import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { createAccount, createResource } from '../support/factories.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const PASSWORD = 'plum ladder seven harbour'

describe('the authorization code flow, by a person without JavaScript', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  it('signs a new person up, proves the address by code, asks for consent and redeems the code (RFC 6749 §4.1, RFC 7636)', async () => {
    const app = await relyingParty(server, { name: 'Plant Diary' })
    const browser = new Browser(server.origin)

    const login = await browser.visit(app.authorizationUrl({ scope: 'openid profile email' }))
    expect(login.status).toBe(200)
    expect(login.words).toContain('Plant Diary')
    const signUpLink = login.links.find((link) => link.pathname.endsWith('/sign-up'))
    await browser.follow(signUpLink ?? '')
    const check = await browser.submit('/sign-up', {
      name: 'Grace Hopper',
      email: 'Grace@Example.org',
      password: PASSWORD,
    })
    expect(check.url.pathname).toMatch(/verify-email$/)

    await server.inbox.next('grace@example.org')
    await browser.submit('/resend')
    const code = await server.inbox.code('grace@example.org')
    const mails = await server.inbox.mails('grace@example.org')
    expect(mails.map(({ text }) => text.includes('to continue to Plant Diary:'))).toEqual([
      true,
      true,
    ])
    const consent = await browser.submit('/verify-email', { code })
    expect(consent.step).toBe('consent')
    expect(consent.words).toContain('grace@example.org')

    const back = await browser.submit('/consent', {}, { button: 'allow' })
    expect(back.isForeign).toBe(true)
    expect(back.url.searchParams.get('iss')).toBe(server.origin)
    const tokens = await app.redeem(back.url)
    const claims = tokens.claims()
    expect(claims).toMatchObject({
      iss: server.origin,
      aud: app.clientId,
      amr: ['pwd'],
      acr: 'urn:gatehouse:acr:1fa',
    })
    const userinfo = await app.userinfo(tokens.access_token, claims?.sub)
    expect(userinfo).toMatchObject({
      email: 'grace@example.org',
      email_verified: true,
      name: 'Grace Hopper',
    })
  })

  it('goes on with a sign-up whose code was guessed at too often: signing in mails another, which names the app', async () => {
    const app = await relyingParty(server, { name: 'Plant Diary', firstParty: true })
    const [first, second] = [new Browser(server.origin), new Browser(server.origin)]
    const login = await first.visit(app.authorizationUrl())
    await first.follow(login.links.find((link) => link.pathname.endsWith('/sign-up')) ?? '')
    await first.submit('/sign-up', {
      name: 'Mary Somerville',
      email: 'mary@example.org',
      password: PASSWORD,
    })
    const spent = await server.inbox.code('mary@example.org')
    for (let tries = 0; tries < 5; tries += 1)
      await first.submit('/verify-email', { code: spent === '000000' ? '000001' : '000000' })

    await second.visit(app.authorizationUrl())
    const check = await second.submit('/login', {
      username: 'mary@example.org',
      password: PASSWORD,
    })
    expect(check.step).toBe('verify-email')
    const code = await server.inbox.code('mary@example.org')
    const [mail] = await server.inbox.mails('mary@example.org')
    expect(mail?.text).toContain('to continue to Plant Diary:')
    expect((await second.submit('/verify-email', { code })).isForeign).toBe(true)
  })

  it('signs in with a password, keeps the address after a wrong one (UX-10), and skips consent that was given before', async () => {
    const account = await createAccount(server, { password: PASSWORD })
    const app = await relyingParty(server)
    const browser = new Browser(server.origin)

    await browser.visit(app.authorizationUrl({ scope: 'openid email' }))
    const refused = await browser.submit('/login', {
      username: account.email,
      password: 'wrong wrong wrong',
    })
    expect(refused.status).toBe(401)
    expect(refused.title).toMatch(/^Error:/)
    expect(refused.text).toContain(`value="${account.email}"`)
    await browser.submit('/login', { username: account.email, password: PASSWORD })
    const first = await browser.submit('/consent', {}, { button: 'allow' })
    expect((await app.redeem(first.url)).claims()?.sub).toBe(account.id)

    const other = new Browser(server.origin)
    await other.visit(app.authorizationUrl({ scope: 'openid email' }))
    const again = await other.submit('/login', { username: account.email, password: PASSWORD })
    expect(again.isForeign).toBe(true)
  })

  it('issues an RFC 9068 access token for a resource, a refresh token that rotates, and ends both with the session', async () => {
    await createResource(server, {
      identifier: 'https://api.example/orders',
      scopes: ['orders:read'],
    })
    const account = await createAccount(server, { password: PASSWORD })
    const app = await relyingParty(server, { firstParty: true })
    const browser = new Browser(server.origin)
    await browser.visit(
      app.authorizationUrl({ scope: 'openid orders:read', resource: 'https://api.example/orders' }),
    )
    const back = await browser.submit('/login', { username: account.email, password: PASSWORD })
    const tokens = await app.redeem(back.url)
    const { payload, protectedHeader } = await app.verifyAccessToken(
      tokens.access_token,
      'https://api.example/orders',
    )
    expect(protectedHeader).toMatchObject({ typ: 'at+jwt', alg: 'ES256' })
    expect(payload).toMatchObject({
      sub: account.id,
      client_id: app.clientId,
      scope: 'orders:read',
    })
    const next = await app.refresh(tokens.refresh_token ?? '')
    expect(next.refresh_token).not.toBe(tokens.refresh_token)

    await browser.visit(
      app.endSessionUrl({
        id_token_hint: tokens.id_token ?? '',
        post_logout_redirect_uri: 'https://client.example/bye',
        state: 'xyz',
      }),
    )
    const bye = await browser.submit('/session/end/confirm')
    expect(bye.url.href).toBe('https://client.example/bye?state=xyz')
    await expect(app.refresh(next.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })

  it('shows the account page without an authorization request (UX-33)', async () => {
    const account = await createAccount(server, { password: PASSWORD })
    const browser = new Browser(server.origin)
    await browser.visit('/account')
    const page = await browser.submit('/login', { username: account.email, password: PASSWORD })
    expect(page.url.pathname).toBe('/account')
    expect(page.words).toContain(account.email)
  })
})
