import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { CanonicalEmail } from '../../src/accounts/canonical-email.ts'
import { findForResend } from '../../src/accounts/pending-sign-ups.ts'
import { LIFETIMES } from '../../src/config/limits.ts'
import { startCluster } from '../support/balancer.ts'
import { Browser, type Page } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  addresses,
  atLogin,
  atSignUp,
  dump,
  isSignedIn,
  newPerson,
  signedIn,
  submitLogin,
} from './attacks.ts'

const FRESH = 'ribbon otter marble cello'
const elsewhere = addresses()

/** Asks for a reset, and returns the browser that did with the secret of the mailed link. */
async function forgot(server: TestServer, email: string, headers: Record<string, string> = {}) {
  const browser = new Browser(server.origin, { headers: { ...elsewhere(), ...headers } })
  await browser.visit('/forgot-password')
  await browser.submit('/forgot-password', { email })
  const { text } = await server.inbox.next(email)
  const link = new URL(/https?:\/\/[^\s<>"]+/.exec(text)?.[0] ?? '')
  const [code = ''] = /(?<!\d)\d{6}(?!\d)/.exec(text.replace(/(?<=\d{3}) (?=\d{3})/g, '')) ?? []
  return { browser, link, token: link.searchParams.get('token') ?? '', code, text }
}

/** Opens the link in another browser and sets the password there. */
async function resetBy(server: TestServer, link: URL | string, password = FRESH): Promise<Page> {
  const browser = new Browser(server.origin, { headers: elsewhere() })
  const page = await browser.visit(link)
  return page.status === 200 ? browser.submit('/reset-password', { password }) : page
}

describe('mailed codes and links', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ config: { trustedProxyHops: 1 } })
  })
  afterAll(() => server.stop())

  it('EM-01 the link carries 256 bits, and the database holds neither link nor code', async () => {
    const account = await createAccount(server)
    const { token, code } = await forgot(server, account.email)
    expect(Buffer.from(token, 'base64url').length).toBeGreaterThanOrEqual(32)
    const tables = await dump(server)
    for (const [table, text] of Object.entries(tables))
      expect([table, text.includes(token)]).toEqual([table, false])
    expect(tables['verification_token']).not.toMatch(new RegExp(`[,(]"?${code}"?[,)]`))
    const { rows } = await server.context.database.pool.query<{ link: number; code: number }>(
      'select length(link_digest) as link, length(code_digest) as code from verification_token where subject_id = $1',
      [account.id],
    )
    expect(rows).toEqual([{ link: 32, code: 32 }])
  })

  it('EM-01 a link is good for its own purpose, address and password only', async () => {
    const account = await createAccount(server)
    const { token, code } = await forgot(server, account.email)
    for (const path of [
      '/verify-email',
      '/change-email',
      '/undo-email',
      '/report-compromise',
      '/keep-account',
    ]) {
      const browser = new Browser(server.origin, { headers: elsewhere() })
      expect([path, (await browser.visit(`${path}?token=${token}`)).status]).toEqual([path, 400])
      const other = await atLogin(server, { headers: elsewhere() })
      const csrf = other.page.form(0).fields.find(({ name }) => name === '_csrf')?.value ?? ''
      expect([path, (await other.post(path, { token, _csrf: csrf })).status]).toEqual([path, 400])
    }
    // Code of one account on the page of another.
    const mallory = await createAccount(server)
    const own = await forgot(server, mallory.email)
    expect((await own.browser.submit('/reset-password', { code, password: FRESH })).status).toBe(
      400,
    )
    await signedIn(server, account, { headers: elsewhere() })
    // The credentials changed since: the link is void.
    await server.context.passwords.replace(account.id, 'another long passphrase here')
    expect((await resetBy(server, `/reset-password?token=${token}`)).status).toBe(400)
  })

  it('EM-02 ends within ten minutes; what has expired opens nothing', async () => {
    expect(LIFETIMES.code).toBeLessThanOrEqual(600)
    const account = await createAccount(server)
    const { link, browser, code } = await forgot(server, account.email)
    const { rows } = await server.context.database.pool.query<{ seconds: number }>(
      'select extract(epoch from expires_at - created_at)::float as seconds from verification_token where subject_id = $1',
      [account.id],
    )
    expect(rows[0]?.seconds).toBeLessThanOrEqual(LIFETIMES.code + 5)
    await server.context.database.pool.query(
      `update verification_token set expires_at = now() - interval '1 second' where subject_id = $1`,
      [account.id],
    )
    expect((await resetBy(server, link)).status).toBe(400)
    expect((await browser.submit('/reset-password', { code, password: FRESH })).status).toBe(400)
    await signedIn(server, account, { headers: elsewhere() })
  })

  it('EM-03 a newer mail voids no older one, and a link that is used ends all others of its purpose', async () => {
    const account = await createAccount(server)
    const first = await forgot(server, account.email)
    const second = await forgot(server, account.email)
    expect((await resetBy(server, first.link)).status).toBe(200)
    for (const { link } of [first, second]) expect((await resetBy(server, link)).status).toBe(400)
    expect(
      (await first.browser.submit('/reset-password', { code: first.code, password: FRESH })).status,
    ).toBe(400)
    expect(
      (
        await second.browser.submit('/reset-password', {
          code: second.code,
          password: 'yet another passphrase',
        })
      ).status,
    ).toBe(400)
    await signedIn(server, { email: account.email, password: FRESH }, { headers: elsewhere() })
  })

  it('EM-04 SE-13 a scanner that opens every link ten times spends nothing', async () => {
    const account = await createAccount(server)
    const { link } = await forgot(server, account.email)
    const before = await dump(server, [
      'account',
      'verification_token',
      'session',
      'consent',
      'known_device',
      'totp_credential',
      'recovery_code',
    ])
    for (let index = 0; index < 10; index += 1)
      for (const method of ['GET', 'HEAD'])
        expect((await send(link, { method, headers: elsewhere() })).status).toBe(200)
    expect(await dump(server, Object.keys(before))).toEqual(before)
    expect((await resetBy(server, link)).status).toBe(200)
  })

  it('EM-05 links lead to the issuer, whatever the request says of itself', async () => {
    const account = await createAccount(server)
    const headers = {
      'x-forwarded-host': 'evil.example',
      forwarded: 'host=evil.example',
      'x-original-host': 'evil.example',
      'x-forwarded-proto': 'gopher',
      'x-forwarded-port': '99',
    }
    const { text, link } = await forgot(server, account.email, headers)
    expect(link.origin).toBe(server.origin)
    expect(text).not.toContain('evil.example')
    const { host } = new URL(server.origin)
    for (const bad of [
      'evil.example',
      `evil.example:x@${host}`,
      `${host}:evil.example`,
      `${host}, evil.example`,
    ])
      expect([
        bad,
        [400, 421].includes(
          (await send(`${server.origin}/forgot-password`, { headers: { host: bad } })).status,
        ),
      ]).toEqual([bad, true])
  })

  it('EM-12 what is not one address sends no mail and is refused on the form', async () => {
    const bad = [
      'a@example.org,b@example.org',
      'a@example.org b@example.org',
      'a@example.org\r\nBcc: b@example.org',
      '<a@example.org>',
      'A <a@example.org>',
      '"a"@example.org',
      'a@example.org;b@example.org',
      'group:a@example.org;',
      'a@[127.0.0.1]',
      'a@localhost',
      'a@@example.org',
      'a',
      '@example.org',
      `${'a'.repeat(65)}@example.org`,
      `a@${'b.'.repeat(140)}org`,
      'a\u0000@example.org',
    ]
    for (const email of bad) {
      const browser = new Browser(server.origin, { headers: elsewhere() })
      await browser.visit('/forgot-password')
      expect([email, (await browser.submit('/forgot-password', { email })).status]).toEqual([
        email,
        400,
      ])
      const signUp = await atSignUp(server, { headers: elsewhere() })
      expect([
        email,
        (await signUp.submit('/sign-up', { name: 'Ada', email, password: PASSWORD })).status,
      ]).toEqual([email, 400])
    }
  })

  it('EM-13 EM-14 a name cannot put a link into a mail, the subject is ours and no password travels', async () => {
    for (const [index, name] of [
      '<a href=//evil.example>x</a>',
      'Visit http://evil.example now',
      'evil.example/login',
      'A\r\nBcc: x@evil.example',
    ].entries()) {
      const email = `em13-${index}@example.org`
      const browser = await atSignUp(server, { headers: elsewhere() })
      const page = await browser.submit('/sign-up', { name, email, password: PASSWORD })
      if (page.status === 400) continue
      const { subject, text, html } = await server.inbox.next(email)
      expect(`${subject}${text}`).not.toMatch(/https?:\/\/evil|Bcc:/)
      expect(html).not.toMatch(/href="?'?(https?:)?\/\/evil|<a href=\/\/evil/)
      expect(`${subject}${text}${html}`).not.toContain(PASSWORD)
      expect(subject).not.toContain('evil')
    }
  })

  it('PW-10 EM-03 a reset ends all sessions, refresh tokens and mails under way, and signs nobody in', async () => {
    const { account, browser } = await newPerson(server, { browser: { headers: elsewhere() } })
    const other = await signedIn(server, account, { headers: elsewhere() })
    const app = await relyingParty(server, { firstParty: true })
    const tokens = await Promise.all(
      [browser, other].map(async (one) =>
        app.redeem((await one.visit(app.authorizationUrl({ scope: 'openid offline_access' }))).url),
      ),
    )
    const { link } = await forgot(server, account.email)
    const resetter = new Browser(server.origin, { headers: elsewhere() })
    await resetter.visit(link)
    expect((await resetter.submit('/reset-password', { password: FRESH })).status).toBe(200)
    for (const one of [browser, other, resetter]) expect(await isSignedIn(one)).toBe(false)
    for (const { refresh_token: token = '', access_token: access } of tokens) {
      await expect(app.refresh(token)).rejects.toMatchObject({ error: 'invalid_grant' })
      expect(await app.introspect(access)).toMatchObject({ active: false })
    }
    expect(
      (await submitLogin(await atLogin(server, { headers: elsewhere() }), account.email, PASSWORD))
        .status,
    ).toBe(401)
  })

  it('PW-02 passwords over the cap are refused before anything is hashed', async () => {
    const { hasher } = server.context
    const signUp = await atSignUp(server, { headers: elsewhere() })
    const { link } = await forgot(server, (await createAccount(server)).email)
    const before = hasher.stats.evaluations
    for (const password of [
      'a '.repeat(129),
      '😀'.repeat(257),
      'é'.repeat(600),
      'x'.repeat(4000),
    ]) {
      expect(
        (await signUp.submit('/sign-up', { name: 'Ada', email: 'pw02@example.org', password }))
          .status,
      ).toBe(400)
      expect((await resetBy(server, link, password)).status).toBe(400)
    }
    expect(
      (await signUp.copy().post(signUp.page.url.pathname, `password=${'x'.repeat(1_000_000)}`))
        .status,
    ).toBe(413)
    expect(hasher.stats.evaluations).toBe(before)
    const long = 'four words, sixty-four characters and more than that are just fine'
    expect(long.length).toBeGreaterThanOrEqual(64)
    expect(
      (await signUp.submit('/sign-up', { name: 'Ada', email: 'pw02@example.org', password: long }))
        .url.pathname,
    ).toMatch(/verify-email$/)
  })
})

describe('EM-11 nobody prepares an account for another’s address', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ config: { trustedProxyHops: 1 } })
  })
  afterAll(() => server.stop())
  const ATTACKER = 'attackers own long passphrase'

  /** The attacker signs up with the victim's address and cannot prove it. */
  async function prepared(email: string) {
    const attacker = await atSignUp(server, { headers: elsewhere() })
    await attacker.submit('/sign-up', { name: 'Mallory', email, password: ATTACKER })
    const mail = await server.inbox.next(email)
    return {
      attacker,
      link: new URL(/https?:\/\/[^\s<>"]+verify[^\s<>"]+/.exec(mail.text)?.[0] ?? server.origin),
    }
  }

  it('EM-11 classic: the victim signs up and proves; the attacker’s password opens nothing', async () => {
    const email = 'em11-classic@example.org'
    const { attacker } = await prepared(email)
    expect(await isSignedIn(attacker)).toBe(false)
    const victim = await atSignUp(server, { headers: elsewhere() })
    await victim.submit('/sign-up', { name: 'Victoria', email, password: PASSWORD })
    await victim.submit('/verify-email', { code: await server.inbox.code(email) })
    expect(await isSignedIn(victim)).toBe(true)
    expect(
      (await submitLogin(await atLogin(server, { headers: elsewhere() }), email, ATTACKER)).status,
    ).toBe(401)
    expect((await attacker.visit(attacker.page.url)).url.pathname).not.toBe('/account')
    expect(await isSignedIn(attacker)).toBe(false)
  })

  it('EM-11 unexpired session: signing in before the proof gives no session that could outlast it', async () => {
    const email = 'em11-session@example.org'
    await prepared(email)
    const early = await atLogin(server, { headers: elsewhere() })
    const page = await submitLogin(early, email, ATTACKER)
    expect(page.url.pathname).toMatch(/verify-email$/)
    expect(await isSignedIn(early)).toBe(false)
    expect((await dump(server, ['session']))['session']).not.toContain(email)
    const { rows } = await server.context.database.pool.query(
      'select from account where email = $1',
      [email],
    )
    expect(rows).toHaveLength(0)
  })

  it('EM-11 the victim who clicks the link of the attacker’s mail chooses a password, and puts none of the attacker in force', async () => {
    const email = 'em11-click@example.org'
    const { link } = await prepared(email)
    const victim = new Browser(server.origin, { headers: elsewhere() })
    const page = await victim.visit(link)
    expect(page.h1).toBe('Choose a password')
    const csrf = victim.page.forms[0]?.fields.find(({ name }) => name === '_csrf')?.value ?? ''
    const forced = await victim.post('/verify-email', {
      _csrf: csrf,
      token: link.searchParams.get('token') ?? '',
    })
    expect(forced.status).toBe(400)
    expect((await victim.visit(link)).status).toBe(200)
    expect((await victim.submit('/verify-email', { password: FRESH })).h1).toBe(
      'Your address is confirmed',
    )
    expect(
      (await submitLogin(await atLogin(server, { headers: elsewhere() }), email, ATTACKER)).status,
    ).toBe(401)
    await signedIn(server, { email, password: FRESH }, { headers: elsewhere() })
  })

  it('EM-11 whoever proves the address keeps the password that they chose, though a stranger has signed up and asked for codes', async () => {
    const email = 'em11-amr@example.org'
    await prepared(email)
    const victim = await atSignUp(server, { headers: elsewhere() })
    await victim.submit('/sign-up', { name: 'Victoria', email, password: PASSWORD })
    const code = await server.inbox.code(email)
    await findForResend(server.context.database.em.fork(), email as CanonicalEmail)
    await victim.submit('/verify-email', { code })
    expect(await isSignedIn(victim)).toBe(true)
    const { rows } = await server.context.database.pool.query(
      'select amr, acr, password_hash from session join account on account.id = account_id where email = $1',
      [email],
    )
    expect(rows).toEqual([
      { amr: ['pwd'], acr: 'urn:gatehouse:acr:1fa', password_hash: expect.any(String) },
    ])
    await signedIn(server, { email }, { headers: elsewhere() })
  })

  it('EM-11 trojan identifier: a reset for an address that only was signed up with creates nothing', async () => {
    const email = 'em11-reset@example.org'
    await prepared(email)
    const browser = new Browser(server.origin, { headers: elsewhere() })
    await browser.visit('/forgot-password')
    expect((await browser.submit('/forgot-password', { email })).url.pathname).toBe(
      '/reset-password',
    )
    const { rows } = await server.context.database.pool.query(
      'select from account where email = $1',
      [email],
    )
    expect(rows).toHaveLength(0)
  })
})

describe('IN-08 races', () => {
  it('EM-03 IN-08 of 50 uses of one link at once over two instances one sets the password', async () => {
    await using cluster = await startCluster(2, { config: { trustedProxyHops: 1 } })
    const [one] = cluster.instances as [TestServer, TestServer]
    const account = await createAccount(one)
    const { link, token } = await forgot(one, account.email)
    const browser = new Browser(cluster.origin, { headers: elsewhere() })
    await browser.visit(link)
    const csrf =
      browser.page.form('/reset-password').fields.find(({ name }) => name === '_csrf')?.value ?? ''
    const pages = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        browser
          .copy({ headers: elsewhere() })
          .post('/reset-password', { _csrf: csrf, token, password: `${FRESH} number ${index}` }),
      ),
    )
    const statuses = pages.map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status >= 500 && status !== 503)).toEqual([])
    await signedIn(
      one,
      { email: account.email, password: `${FRESH} number ${statuses.indexOf(200)}` },
      { headers: elsewhere() },
    )
  })

  it('IN-08 of 20 uses of one sign-up code at once one makes an account', async () => {
    await using server = await startServer({ config: { trustedProxyHops: 1 } })
    const browser = await atSignUp(server)
    await browser.submit('/sign-up', {
      name: 'Grace',
      email: 'race@example.org',
      password: PASSWORD,
    })
    const code = await server.inbox.code('race@example.org')
    const { pathname } = browser.page.url
    const csrf =
      browser.page.form('/verify-email').fields.find(({ name }) => name === '_csrf')?.value ?? ''
    const pages = await Promise.all(
      Array.from({ length: 20 }, () =>
        browser
          .copy({ headers: elsewhere() })
          .post(pathname, { _csrf: csrf, code }, { follow: false }),
      ),
    )
    expect(
      pages.filter(({ status }) => status === 303 || status === 200).length,
    ).toBeGreaterThanOrEqual(1)
    expect(pages.filter(({ status }) => status >= 500)).toEqual([])
    const { rows } = await server.context.database.pool.query(
      `select from account where email = 'race@example.org'`,
    )
    expect(rows).toHaveLength(1)
  })
})
