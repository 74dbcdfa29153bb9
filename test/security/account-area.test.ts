import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Account } from '../../src/entities/index.ts'
import { Browser } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { enableMfa, enter, signedIn } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const PAGES = [
  '',
  'profile',
  'email',
  'email/confirm',
  'password',
  'password/confirm',
  'mfa',
  'mfa/disable',
  'recovery-codes',
  'sessions',
  'apps',
  'activity',
  'export',
  'delete',
  'security',
]
const ACTIONS = [
  'profile',
  'email',
  'email/confirm',
  'email/confirm/resend',
  'password',
  'password/confirm',
  'mfa/start',
  'mfa',
  'mfa/disable',
  'recovery-codes',
  'sessions/end',
  'sessions/end-others',
  'apps/remove',
  'delete',
]

describe('the account area under attack', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ config: { trustedProxyHops: 1 } })
  })
  afterAll(() => server.stop())
  const load = (id: string) => server.context.database.em.fork().findOneOrFail(Account, { id })
  const csrfOf = (browser: Browser) =>
    browser.page.form('/account/sign-out').fields.find(({ name }) => name === '_csrf')?.value ?? ''

  it('shows a stranger nothing but the sign-in, whatever page or form is asked for', async () => {
    const stranger = new Browser(server.origin)
    for (const path of PAGES)
      expect(`${path}: ${(await stranger.visit(`/account/${path}`)).h1}`).toBe(`${path}: Sign in`)
    await stranger.visit('/login')
    const csrf =
      stranger.page.form('/login').fields.find(({ name }) => name === '_csrf')?.value ?? ''
    for (const path of ACTIONS) {
      const page = await stranger
        .copy()
        .post(`/account/${path}`, { _csrf: csrf, id: 'x', confirmation: 'x' })
      expect(`${path}: ${page.h1}`).toBe(`${path}: Sign in`)
    }
  })

  it('SE-11 no form is taken from another site, without its token, or with somebody else’s', async () => {
    const { browser: person, account } = await signedIn(server)
    const browser = {
      copy: () => person.copy({ headers: { 'x-forwarded-for': `10.2.0.${network++}` } }),
    }
    let network = 1
    const foreign = csrfOf((await signedIn(server)).browser)
    const own = csrfOf(person)
    for (const path of [...ACTIONS, 'sign-out']) {
      const refused = [
        await browser.copy().post(`/account/${path}`, { confirmation: account.email }),
        await browser
          .copy()
          .post(`/account/${path}`, { _csrf: foreign, confirmation: account.email }),
        await browser
          .copy()
          .post(
            `/account/${path}`,
            { _csrf: own, confirmation: account.email },
            { headers: { origin: 'https://evil.example' } },
          ),
        await browser
          .copy()
          .post(
            `/account/${path}`,
            { _csrf: own, confirmation: account.email },
            { headers: { 'sec-fetch-site': 'cross-site' } },
          ),
      ]
      expect(`${path}: ${refused.map(({ status }) => status).join()}`).toBe(
        `${path}: 403,403,403,403`,
      )
      const asText = await browser
        .copy()
        .post(`/account/${path}`, `_csrf=${own}`, { headers: { 'content-type': 'text/plain' } })
      expect(asText.status).toBe(415)
    }
    expect((await person.visit('/account')).words).toContain(account.email)
    expect((await load(account.id)).status).toBe('active')
  })

  it('SE-13 looking at every page changes nothing', async () => {
    const { browser, account } = await signedIn(server)
    await server.context.sessions.list(account.id)
    const dump = async () => {
      const { rows } = await server.context.database.pool.query(
        `select (select md5(string_agg(a::text, '' order by id)) from account a) as accounts,
          (select md5(string_agg(concat(id, account_id, authenticated_at), '' order by id)) from session) as sessions,
          (select md5(string_agg(t::text, '' order by id)) from totp_credential t) as totp,
          (select md5(string_agg(r::text, '' order by id)) from recovery_code r) as codes,
          (select md5(string_agg(c::text, '' order by account_id, client_id)) from consent c) as consents,
          (select md5(string_agg(v::text, '' order by id)) from verification_token v) as tokens`,
      )
      return rows[0]
    }
    const before = await dump()
    for (const path of PAGES) {
      await browser.visit(`/account/${path}`)
      await browser.copy().visit(`/account/${path}`)
    }
    for (const path of [
      '/signed-out',
      '/account/sign-out',
      '/account/sessions/end',
      '/account/apps/remove',
      '/account/mfa/start',
    ])
      await browser.copy().visit(path)
    expect(await dump()).toEqual(before)
    expect((await browser.visit('/account')).words).toContain(account.email)
  })

  it('SE-08 IN-05 ids of other people end, show and remove nothing', async () => {
    const { browser, account } = await signedIn(server)
    const { account: other, browser: theirs } = await signedIn(server)
    const app = await relyingParty(server)
    await theirs.visit(app.authorizationUrl({ scope: 'openid' }))
    await theirs.submit('/consent', {}, { button: 'allow' })
    const [session] = await server.context.sessions.list(other.id)
    const csrf = csrfOf(browser)
    const forged = {
      _csrf: csrf,
      id: session?.id ?? '',
      client_id: app.clientId,
      account_id: other.id,
      userId: other.id,
      sub: other.id,
      email: other.email,
    }
    for (const path of ['sessions/end', 'apps/remove'])
      await browser.post(`/account/${path}`, forged)
    await browser.post('/account/profile', {
      ...forged,
      name: 'Mallory',
      image_url: '',
      phone_number: '',
      locale: '',
    })
    expect((await load(other.id)).name).toBe(other.name)
    expect((await load(account.id)).name).toBe('Mallory')
    expect(await server.context.sessions.list(other.id)).toHaveLength(1)
    expect(await server.context.consents.list(other.id)).toHaveLength(1)
    for (const path of PAGES)
      expect(
        (await browser.visit(`/account/${path}?account_id=${other.id}&sub=${other.id}`)).text,
      ).not.toContain(other.email)
  })

  it('IN-04 a form has the fields it has: status, address, factors and times cannot be set', async () => {
    const { browser, account } = await signedIn(server)
    const before = await load(account.id)
    const forged = {
      status: 'disabled',
      mfa_enabled: 'true',
      mfaEnabled: 'true',
      created_at: '2000-01-01',
      credential_version: '99',
      must_reset_password: 'true',
      password_hash: 'x',
      id: 'x',
    }
    await browser.post('/account/profile', {
      _csrf: csrfOf(browser),
      name: before.name,
      image_url: '',
      phone_number: '',
      locale: '',
      ...forged,
    })
    const { updatedAt: _now, ...after } = { ...(await load(account.id)) }
    expect(after).toMatchObject({
      status: 'active',
      mfaEnabled: false,
      credentialVersion: before.credentialVersion,
      createdAt: before.createdAt,
    })
  })

  it('SE-07 a disabled account is gone from its pages at once', async () => {
    const { browser, account } = await signedIn(server)
    await server.context.database.em
      .fork()
      .nativeUpdate(Account, { id: account.id }, { status: 'disabled' })
    for (const path of PAGES)
      expect((await browser.visit(`/account/${path}`)).text).not.toContain(account.email)
  })

  it('SE-05 a session whose row is gone opens nothing, even while its cookie lives', async () => {
    const { browser, account } = await signedIn(server)
    await server.context.database.pool.query('delete from "session" where "account_id" = $1', [
      account.id,
    ])
    for (let visit = 0; visit < 2; visit += 1)
      expect((await browser.visit('/account/sessions')).h1).toBe('Sign in')
  })

  it('the confirmation after a redirect cannot be planted by a link', async () => {
    const { browser } = await signedIn(server)
    for (const query of ['notice=password_changed', 'done=mfa_disabled', 'sent=1']) {
      const page = await browser.visit(`/account?${query}`)
      expect(page.text).not.toContain('role="status"')
    }
    browser.jar.store(new URL(server.origin), [
      'notice=mfa_disabled; Path=/',
      'notice.sig=aaaaaaaaaaaaaaaaaaaaaaaaaaa; Path=/',
    ])
    expect((await browser.visit('/account')).text).not.toContain('role="status"')
  })

  it('a change begun by one account is not finished by another in the same browser', async () => {
    const { browser } = await signedIn(server, { path: '/account/email' })
    await browser.submit('/account/email', { email: 'mine@example.net' })
    const code = await server.inbox.code('mine@example.net')
    await browser.submit('/account/sign-out')
    const other = await createAccount(server)
    await browser.visit('/account/email/confirm')
    await enter(browser, other)
    expect(browser.page.url.pathname).toBe('/account/email/confirm')
    expect((await browser.submit('/account/email/confirm', { code })).status).toBe(400)
    expect((await load(other.id)).email).toBe(other.email)
  })

  it('TF-09 the page of recovery codes is not to be had again by back, reload or address', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const { browser } = await signedIn(server, {
      account,
      authenticator,
      path: '/account/recovery-codes',
    })
    const page = await browser.submit('/account/recovery-codes')
    expect(page.response.headers.get('cache-control')).toBe('no-store')
    const [, code = 'none'] = /<li>([0-9A-Z-]{19})<\/li>/.exec(page.text) ?? []
    for (const path of PAGES)
      expect((await browser.visit(`/account/${path}`)).text).not.toContain(code)
    const { rows } = await server.context.database.pool.query<{ row: string }>(
      'select r::text as "row" from "recovery_code" r',
    )
    expect(rows.map(({ row }) => row).join()).not.toContain(code.replaceAll('-', ''))
  })
})
