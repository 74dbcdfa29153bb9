import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { CAPS, LIFETIMES } from '../../src/config/limits.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  addresses,
  atLogin,
  dump,
  isSignedIn,
  newPerson,
  signedIn,
  submitLogin,
} from './attacks.ts'

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('sessions of the hosted pages', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ config: { trustedProxyHops: 1 } })
  })
  afterAll(() => server.stop())
  const elsewhere = addresses()

  it('SE-01 PW-14 identifiers carry 128 bits or more, never repeat, and the database holds none of them', async () => {
    const { account, browser } = await newPerson(server)
    const seen = new Set<string>()
    for (let index = 0; index < 40; index += 1) {
      const visitor = new Browser(server.origin, { headers: elsewhere() })
      await visitor.visit('/login')
      for (const { name, value } of visitor.jar.all)
        if (!name.endsWith('.sig')) seen.add(`${name}=${value}`)
    }
    const secrets = [...browser.jar.all]
      .filter(({ name }) =>
        ['gatehouse_session', 'gatehouse_device', 'gatehouse_csrf'].includes(name),
      )
      .map(({ value }) => value)
    expect(secrets).toHaveLength(3)
    for (const value of secrets)
      expect(Buffer.from(value, 'base64url').length).toBeGreaterThanOrEqual(16)
    expect(seen.size).toBeGreaterThanOrEqual(80)
    const tables = await dump(server)
    expect(tables['account']).toContain(account.email)
    for (const [table, text] of Object.entries(tables))
      for (const pair of [...seen, ...secrets.map((value) => `x=${value}`)]) {
        const value = pair.slice(pair.indexOf('=') + 1)
        if (value.length >= 20)
          expect({ table, isThere: text.includes(value) }).toEqual({ table, isThere: false })
      }
  })

  it('SE-01 gives 100,000 identifiers without a repetition', async () => {
    const { randomToken } = await import('../../src/crypto/token.ts')
    const made = new Set(Array.from({ length: 100_000 }, () => randomToken(128)))
    expect(made.size).toBe(100_000)
  })

  it('SE-02 a cookie planted before sign-in is worth nothing after it', async () => {
    const account = await createAccount(server)
    const victim = await atLogin(server)
    // The attacker has opened the same server, and put all of its cookies into the victim's browser.
    const attacker = victim.copy()
    await submitLogin(victim, account.email, PASSWORD)
    expect(await isSignedIn(victim)).toBe(true)
    expect(await isSignedIn(attacker)).toBe(false)
  })

  it('SE-02 signing in again changes the identifier and the old one is dead', async () => {
    const { account, browser } = await newPerson(server)
    const before = browser.copy()
    const old = browser.jar.find('gatehouse_session')?.value
    const app = await relyingParty(server, { firstParty: true })
    await browser.visit(app.authorizationUrl({ prompt: 'login' }))
    const back = await submitLogin(browser, account.email, PASSWORD)
    expect(back.isForeign).toBe(true)
    expect(browser.jar.find('gatehouse_session')?.value).not.toBe(old)
    expect(await isSignedIn(browser)).toBe(true)
    expect(await isSignedIn(before)).toBe(false)
  })

  it('SE-03 two cookies of one name are treated as none', async () => {
    const { browser } = await newPerson(server)
    const cookie = browser.jar.header(new URL('/account', server.origin)) ?? ''
    const one = await send(`${server.origin}/account`, { headers: { cookie } })
    expect(one.status).toBe(200)
    const [session = ''] = /(?<=^|; )gatehouse_session=[^;]+/.exec(cookie) ?? []
    for (const doubled of [
      `${cookie}; gatehouse_session=planted`,
      `gatehouse_session=planted; ${cookie}`,
      `${cookie}; ${session}`,
    ]) {
      const two = await send(`${server.origin}/account`, { headers: { cookie: doubled } })
      expect(two.status).toBe(303)
    }
  })

  it('SE-04 writes idle and absolute ends as documented: 1 hour and 24 hours, 30 days when remembered', async () => {
    expect([LIFETIMES.sessionIdle, LIFETIMES.sessionAbsolute, LIFETIMES.sessionRemembered]).toEqual(
      [3600, 86_400, 30 * 86_400],
    )
    const { account } = await newPerson(server)
    const remembered = await atLogin(server)
    await remembered.submit('/login', {
      username: account.email,
      password: PASSWORD,
      remember: true,
    })
    const { rows } = await server.context.database.pool.query<{
      is_remembered: boolean
      seconds: number
    }>(
      `select is_remembered, extract(epoch from expires_at - authenticated_at)::float as seconds from "session" where account_id = $1 order by 1`,
      [account.id],
    )
    expect(rows.map(({ is_remembered }) => is_remembered)).toEqual([false, true])
    expect(rows[0]?.seconds).toBeGreaterThan(3600 - 60)
    expect(rows[0]?.seconds).toBeLessThanOrEqual(3600 + 60)
    expect(rows[1]?.seconds).toBeGreaterThan(30 * 86_400 - 60)
    expect(rows[1]?.seconds).toBeLessThanOrEqual(30 * 86_400)
  })

  it('SE-04 UX-32 a remembered session stays remembered when an app asks for the password again, for the same account only', async () => {
    const [ada, grace] = [await createAccount(server), await createAccount(server)]
    const app = await relyingParty(server, { firstParty: true })
    const isRemembered = async (account: { id: string }) => {
      const { rows } = await server.context.database.pool.query<{ is_remembered: boolean }>(
        'select is_remembered from "session" where account_id = $1 order by created_at desc, authenticated_at desc limit 1',
        [account.id],
      )
      return rows[0]?.is_remembered
    }
    const browser = await atLogin(server)
    await browser.submit('/login', { username: ada.email, password: PASSWORD, remember: true })
    await browser.visit(app.authorizationUrl({ prompt: 'login' }))
    expect(
      (await browser.submit('/login', { username: ada.email, password: PASSWORD })).isForeign,
    ).toBe(true)
    expect(await isRemembered(ada)).toBe(true)
    await browser.visit(app.authorizationUrl({ prompt: 'login' }))
    expect(
      (
        await browser.submit(
          '/login',
          { username: grace.email, password: PASSWORD },
          { follow: true },
        )
      ).status,
    ).toBe(200)
    if (!browser.page.isForeign) await browser.submit('/session/end/confirm')
    expect([browser.page.isForeign, await isRemembered(grace)]).toEqual([true, false])
    await browser.visit(app.authorizationUrl({ prompt: 'login' }))
    await browser.submit('/login', { username: grace.email, password: PASSWORD })
    expect(await isRemembered(grace)).toBe(false)
  })

  it('SE-03 on http too every cookie has a name of our own, which no other program on the host has', async () => {
    const { browser } = await newPerson(server)
    await browser.visit('/forgot-password')
    await browser.submit('/forgot-password', { email: 'ada@example.org' })
    await browser.visit('/locale?lang=de&theme=dark')
    expect(browser.jar.all.length).toBeGreaterThan(5)
    expect(
      [...browser.jar.all].map(({ name }) => name).filter((name) => !name.startsWith('gatehouse_')),
    ).toEqual([])
  })

  it('SE-05 signing out ends the state on the server: the old cookie opens nothing, and the browser is told to forget', async () => {
    const { browser } = await newPerson(server)
    const thief = browser.copy()
    expect((await browser.visit('/account')).response.headers.get('cache-control')).toBe('no-store')
    await browser.visit('/session/end')
    const answer = await browser.submit(
      '/session/end/confirm',
      {},
      { button: 'logout', follow: false },
    )
    expect(answer.status).toBe(303)
    expect(answer.response.headers.get('clear-site-data')).toContain('"cache"')
    expect(await isSignedIn(thief)).toBe(false)
    expect(await isSignedIn(browser)).toBe(false)
  })

  it('SE-05 staying signed in on the confirmation page ends nothing', async () => {
    const { browser } = await newPerson(server)
    await browser.visit('/session/end')
    const form = browser.page.form('/session/end/confirm')
    expect(form.method).toBe('POST')
    await browser.visit('/account')
    expect(await isSignedIn(browser)).toBe(true)
  })

  it(`SE-09 keeps ${CAPS.sessionsPerAccount} sessions of an account: the next sign-in ends the one seen longest ago`, async () => {
    const account = await createAccount(server)
    const first = await signedIn(server, account, { headers: elsewhere() })
    const browsers: Browser[] = []
    for (let index = 1; index < CAPS.sessionsPerAccount; index += 1)
      browsers.push(await signedIn(server, account, { headers: elsewhere() }))
    expect(await isSignedIn(first)).toBe(true)
    // All were seen within the same minute; the first is made the oldest as it would be in life.
    await server.context.database.pool.query(
      `update "session" set last_seen_at = last_seen_at - interval '1 hour' where id = (select id from "session" where account_id = $1 order by created_at limit 1)`,
      [account.id],
    )
    const last = await signedIn(server, account, { headers: elsewhere() })
    expect(await isSignedIn(first)).toBe(false)
    expect(await isSignedIn(last)).toBe(true)
    expect(await isSignedIn(browsers[0] as Browser)).toBe(true)
    expect(await server.context.sessions.list(account.id)).toHaveLength(CAPS.sessionsPerAccount)
  })

  it('SE-12 an interaction belongs to the browser that began it', async () => {
    const account = await createAccount(server)
    const app = await relyingParty(server)
    const victim = new Browser(server.origin)
    const { url } = await victim.visit(app.authorizationUrl())
    const thief = await atLogin(server)
    for (const path of ['', '/login', '/consent'].map((step) => `${url.pathname}${step}`)) {
      const page = await thief.visit(path)
      expect([path, page.status]).toEqual([path, 400])
      expect(page.words).toContain('another browser')
    }
    const own = await atLogin(server)
    const csrf = own.page.form('/login').fields.find(({ name }) => name === '_csrf')?.value ?? ''
    const forged = await own.post(`${url.pathname}/login`, {
      username: account.email,
      password: PASSWORD,
      _csrf: csrf,
    })
    expect(forged.status).toBe(400)
    expect(await isSignedIn(own)).toBe(false)
    expect((await submitLogin(victim, account.email, PASSWORD)).step).toBe('consent')
  })
})

describe('SE-03 cookies on https', () => {
  const issuer = 'https://id.example.org'
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ issuer })
  })
  afterAll(() => server.stop())

  it('SE-03 WB-02 every cookie is Secure, HttpOnly, SameSite=Lax, without Domain, under 4 kB; all but interaction and resume are __Host-', async () => {
    const account = await createAccount(server)
    const lines: string[] = []
    const browser = new Browser(issuer, { connect: server.address })
    const keep = (page: { response: Response }) =>
      lines.push(...page.response.headers.getSetCookie())
    let page = await browser.visit('/login')
    const { cookies: jar } = { cookies: browser.jar }
    keep(page)
    const hop = await browser.submit(
      '/login',
      { username: account.email, password: PASSWORD, remember: true },
      { follow: false },
    )
    keep(hop)
    let location = hop.response.headers.get('location')
    while (location && new URL(location, issuer).origin === issuer) {
      const answer = await send(new URL(location, issuer), {
        connect: server.address,
        headers: { cookie: jar.header(new URL(location, issuer)) ?? '' },
      })
      jar.store(new URL(location, issuer), answer.headers.getSetCookie())
      keep({ response: answer })
      location = answer.headers.get('location')
    }
    page = await browser.visit('/forgot-password')
    keep(page)
    keep(await browser.submit('/forgot-password', { email: account.email }, { follow: false }))
    keep(await browser.visit('/locale?lang=de', {}))
    keep(await browser.visit('/auth?client_id=x'))
    const signUp = new Browser(issuer, { connect: server.address })
    await signUp.visit('/signup')
    keep(
      await signUp.submit(
        '/sign-up',
        { name: 'Grace', email: 'grace@example.org', password: PASSWORD },
        { follow: false },
      ),
    )

    const names = new Set(lines.map((line) => line.slice(0, line.indexOf('='))))
    for (const name of [
      '__Host-session',
      '__Host-csrf',
      '__Host-device',
      '__Host-reset',
      '__Host-sign-up',
    ])
      expect(names).toContain(name)
    for (const line of lines) {
      expect(Buffer.byteLength(line)).toBeLessThan(4096)
      expect(line).toMatch(/; secure/i)
      expect(line).toMatch(/; httponly/i)
      expect(line).toMatch(/; samesite=lax/i)
      expect(line).not.toMatch(/; domain=/i)
      if (line.startsWith('__Host-')) expect(line).toMatch(/; path=\/(;|$)/i)
    }
    const others = [...names]
      .map((name) => name.replace(/\.sig$/, ''))
      .filter((name) => !name.startsWith('__Host-'))
    expect(
      [...new Set(others)].filter((name) => !/^__Secure-(interaction|resume)$/.test(name)),
    ).toEqual([])
  })
})

describe('SE-04 lifetimes', () => {
  it('SE-04 a session that was not seen for its idle time is gone, whatever its cookie says', async () => {
    await using server = await startServer({
      config: { lifetimes: { ...LIFETIMES, sessionIdle: 2 } },
    })
    const account = await createAccount(server)
    const browser = await atLogin(server)
    await submitLogin(browser, account.email, PASSWORD)
    await sleep(3100)
    expect(await isSignedIn(browser)).toBe(false)
  })

  it('SE-04 a session in use ends at its absolute lifetime all the same', async () => {
    await using server = await startServer({
      config: { lifetimes: { ...LIFETIMES, sessionAbsolute: 3 } },
    })
    const account = await createAccount(server)
    const browser = await atLogin(server)
    await submitLogin(browser, account.email, PASSWORD)
    for (const until = Date.now() + 4200; Date.now() < until; await sleep(300))
      await browser.copy().visit('/account')
    expect(await isSignedIn(browser)).toBe(false)
  })
})
