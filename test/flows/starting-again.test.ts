import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const HOME = 'https://client.example/'

describe('starting again', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  const sql = (text: string, values: unknown[] = []) =>
    server.context.database.pool.query(text, values)
  const forget = () => sql(`delete from "oidc_artifact" where "model" = 'Interaction'`)
  const links = (browser: Browser) => browser.page.links.map(({ href }) => href)

  async function begin(parameters: Record<string, string> = {}) {
    const [account, app] = await Promise.all([
      createAccount(server),
      relyingParty(server, { firstParty: true }),
    ])
    const browser = new Browser(server.origin)
    const { url } = await browser.visit(app.authorizationUrl(parameters))
    return {
      app,
      browser,
      login: url.href,
      signIn: () => browser.submit('/login', { username: account.email, password: PASSWORD }),
    }
  }

  it('UX-14 an expired sign-in names the app and leads back to it', async () => {
    const { browser, login } = await begin()
    await forget()
    const page = await browser.visit(login)
    expect([page.status, page.h1]).toEqual([400, 'This sign-in is over'])
    expect(page.words).toContain('Go back to Plant Diary')
    expect(links(browser)).toContain(HOME)
    const resumed = await browser.visit(login.replace('/interaction/', '/auth/'))
    expect(resumed.words).toContain('Go back to Plant Diary')
    expect(links(browser)).toContain(HOME)
  })

  it('UX-14 so does the back button after a sign-in', async () => {
    const { browser, login, signIn } = await begin()
    expect((await signIn()).isForeign).toBe(true)
    const page = await browser.visit(login)
    expect(page.words).toContain('Go back to Plant Diary')
    expect(links(browser)).toContain(HOME)
  })

  it('SE-12 another browser learns no name, nor does one with a forged cookie', async () => {
    const { browser, login } = await begin()
    const thief = new Browser(server.origin)
    const look = async () => {
      const page = await thief.visit(login)
      expect([page.status, page.h1]).toEqual([400, 'This sign-in cannot go on here'])
      expect(page.text).not.toContain('Plant Diary')
      expect(page.text).not.toContain('client.example')
      expect(page.links.map(({ pathname }) => pathname)).not.toContain('/auth')
    }
    await look()
    const value = browser.jar.find('gatehouse_started')?.value ?? ''
    expect(value).toContain(/interaction\/([\w-]+)/.exec(login)?.[1])
    thief.jar.store(new URL(server.origin), [
      `gatehouse_started=${value}; Path=/`,
      'gatehouse_started.sig=AAAA; Path=/',
    ])
    await look()
    thief.jar.store(new URL(server.origin), [`gatehouse_started=${value}; Path=/`])
    thief.jar.delete('gatehouse_started.sig')
    await look()
  })

  it('UX-14 where the request is still there it starts again, through all checks, and the app gets its own state', async () => {
    const { app, browser, login, signIn } = await begin({ state: 'the-own-state' })
    browser.jar.delete('gatehouse_interaction')
    const over = await browser.visit(login)
    expect(over.words).toContain('You can start it again for Plant Diary')
    const again = over.links.find(({ pathname }) => pathname === '/auth') ?? ''
    const page = await browser.follow(again)
    expect(page.step).toBe('login')
    expect(page.url.href).not.toBe(login)
    await signIn()
    const { url } = browser.page
    expect([url.origin, url.searchParams.get('state')]).toEqual([
      new URL(HOME).origin,
      'the-own-state',
    ])
    await expect(app.redeem(url)).resolves.toMatchObject({ access_token: expect.any(String) })
  })

  it('AZ-13 PKCE holds for a request that was started again', async () => {
    const { app, browser, login, signIn } = await begin()
    browser.jar.delete('gatehouse_interaction')
    await browser.follow(
      (await browser.visit(login)).links.find(({ pathname }) => pathname === '/auth') ?? '',
    )
    await signIn()
    const response = await fetch(`${server.origin}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64')}`,
      },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: browser.page.url.searchParams.get('code') ?? '',
        redirect_uri: app.redirectUri,
        code_verifier: 'x'.repeat(43),
      }),
    })
    expect(response.status).toBe(400)
  })

  it('AZ-01 the way back is the registration, whatever the address of the page says', async () => {
    const { browser, login } = await begin()
    await forget()
    await browser.visit(
      `${login}?client_uri=https://evil.example&redirect_uri=https://evil.example&home=https://evil.example`,
    )
    expect(links(browser).filter((href) => new URL(href).origin !== server.origin)).toEqual([HOME])
  })

  it('F12 a fault while a finished sign-in is resumed does not end it: the page, loaded again, asks to sign in', async () => {
    const { browser, login, signIn } = await begin()
    await sql(`create function test_refusal() returns trigger language plpgsql as
      'begin raise exception ''canceling statement due to lock timeout'' using errcode = ''55P03''; end'`)
    await sql(
      'create trigger test_refusal before insert on "session" for each statement execute function test_refusal()',
    )
    try {
      expect((await signIn()).status).toBe(503)
    } finally {
      await sql('drop function test_refusal() cascade')
    }
    const resume = login.replace('/interaction/', '/auth/').replace(/\/login$/, '')
    expect((await browser.visit(resume)).step).toBe('login')
    await signIn()
    expect(browser.page.url.searchParams.get('code')).toBeTruthy()
  })
})
