import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

describe('dead ends', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  it.each([
    ['/reset-password?token=gone', '/forgot-password'],
    ['/verify-email?token=gone', '/signup'],
    ['/change-email?token=gone', '/account/email'],
    ['/undo-email?token=gone', '/account'],
    ['/report-compromise?token=gone', '/forgot-password'],
    ['/keep-account?token=gone', '/account'],
    ['/interaction/gone/login', '/account'],
    ['/nowhere', '/'],
  ])('UX-14 shows a page with a way on at %s', async (path, wayOn) => {
    const page = await new Browser(server.origin).visit(path)
    expect(page.status).toBeGreaterThanOrEqual(400)
    expect(page.status).toBeLessThan(500)
    expect(page.response.headers.get('content-type')).toContain('text/html')
    expect(page.h1).toBeTruthy()
    expect(page.links.map((link) => link.pathname)).toContain(wayOn)
    expect(page.text).not.toMatch(/\bat .*\.ts:|Error:.*\n/)
  })

  it('UX-14 a form that was open too long, and a request of an app that cannot be answered, say so and what to do', async () => {
    const stale = await fetch(`${server.origin}/forgot-password`, {
      method: 'POST',
      headers: {
        accept: 'text/html',
        origin: server.origin,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: '_csrf=old&email=ada%40example.org',
    })
    expect(stale.status).toBe(403)
    expect(await stale.text()).toMatch(
      /<a class="button primary wide" href="\/forgot-password">Try again/,
    )
    const app = await new Browser(server.origin).visit('/auth?client_id=nobody&response_type=code')
    expect(app.status).toBe(400)
    expect(app.words).toContain(
      'The app asked for something this server cannot do. Go back to the app and try again.',
    )
    expect(app.words).not.toContain('what you entered')
  })

  it('UX-14 a spent reset link leads to a new one', async () => {
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    await browser.visit('/forgot-password')
    await browser.submit('/forgot-password', { email: account.email })
    const link = await server.inbox.link(account.email, '/reset-password')
    await browser.visit(link)
    await browser.submit('/reset-password', { password: 'harbour seven ladder plum' })
    const again = await browser.visit(link)
    expect(again.status).toBe(400)
    await browser.follow(again.links.find((each) => each.pathname === '/forgot-password') ?? '')
    expect(browser.page.form('/forgot-password')).toBeDefined()
  })

  it('UX-4 confirming who one is keeps the address in the form, where the password manager looks for it', async () => {
    const account = await createAccount(server)
    const app = await relyingParty(server, { firstParty: true })
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl())
    await browser.submit('/login', { username: account.email, password: PASSWORD })
    const page = await browser.visit(app.authorizationUrl({ prompt: 'login' }))
    const [field] = page.form('/login').fields.filter(({ name }) => name === 'username')
    expect(field?.value).toBe(account.email)
    expect(field?.attributes['autocomplete']).toMatch(/^username/)
  })

  it('UX-25 no step asks to solve or to remember anything that cannot be pasted or filled in', async () => {
    const app = await relyingParty(server)
    const browser = new Browser(server.origin)
    const login = await browser.visit(app.authorizationUrl())
    const signUp = await browser.follow(
      login.links.find((link) => link.pathname.endsWith('/sign-up')) ?? '',
    )
    for (const page of [login, signUp]) {
      // What nobody meets is the field for programs (decision 0085).
      const met = page.text.replaceAll(/<p hidden>.*?<\/p>/g, '')
      expect(met).not.toMatch(/captcha|onpaste|oncopy|autocomplete="off"/i)
      for (const field of page.forms.flatMap(({ fields }) =>
        fields.filter(({ type }) => ['text', 'email', 'password'].includes(type)),
      ))
        expect([field.name, field.attributes['autocomplete']]).toEqual([
          field.name,
          expect.any(String),
        ])
    }
  })
})
