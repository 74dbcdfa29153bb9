import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Account } from '../../src/entities/index.ts'
import { api } from '../support/api.ts'
import { Browser, type Page } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { age, codeOf, enableMfa, enter, forgetStep, signedIn } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const MULTI = { acr: 'urn:gatehouse:acr:2fa', amr: ['pwd', 'otp', 'mfa'] }
const secretOn = (page: Page) =>
  (/<code class="secret"[^>]*>([A-Z2-7 ]+)</.exec(page.text)?.[1] ?? '').replaceAll(' ', '')

describe('TF-11 two factors demanded by a client', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())
  const strict = () => relyingParty(server, { requireMfa: true, firstParty: true })
  const load = (id: string) => server.context.database.em.fork().findOneOrFail(Account, { id })

  it('TF-10 leads through enrolment and recovery codes before the app gets its answer, and the claims say so', async () => {
    const account = await createAccount(server)
    const app = await strict()
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid' }))
    const enrol = await enter(browser, account)
    expect(enrol.url.pathname).toMatch(/\/mfa-enrol$/)
    expect(enrol.words).toContain('you need two-step sign-in')
    expect((await browser.submit('/mfa-enrol', { code: '000000' })).status).toBe(400)
    const codes = await browser.submit('/mfa-enrol', { code: await codeOf(secretOn(browser.page)) })
    expect(codes.text.match(/<li>[0-9A-Z-]{19}<\/li>/g)).toHaveLength(10)
    expect(await server.context.sessions.list(account.id)).toEqual([])

    const reloaded = await browser.copy().visit(codes.url)
    expect(reloaded.url.pathname).toMatch(/\/recovery-codes$/)
    expect(reloaded.text).not.toMatch(/<li>[0-9A-Z-]{19}<\/li>/)

    const back = await browser.submit('/recovery-codes')
    expect(back.isForeign).toBe(true)
    expect((await app.redeem(back.url)).claims()).toMatchObject({ sub: account.id, ...MULTI })
    expect((await load(account.id)).mfaEnabled).toBe(true)
  })

  it('TF-04 a set-up that the same person begins elsewhere is named by the older one', async () => {
    const account = await createAccount(server)
    const app = await strict()
    const [older, newer] = await Promise.all(
      [1, 2].map(async () => {
        const browser = new Browser(server.origin)
        await browser.visit(app.authorizationUrl({ scope: 'openid' }))
        return browser
      }),
    )
    if (!older || !newer) throw new Error('two browsers')
    await enter(older, account)
    await enter(newer, account)
    const refused = await older.submit('/mfa-enrol', { code: await codeOf(secretOn(older.page)) })
    expect(refused.status).toBe(409)
    expect(refused.words).toContain('A newer set-up was begun in another tab')
    expect(secretOn(refused)).toBe(secretOn(newer.page))
    expect((await load(account.id)).mfaEnabled).toBe(false)
    await newer.submit('/mfa-enrol', { code: await codeOf(secretOn(newer.page)) })
    expect((await load(account.id)).mfaEnabled).toBe(true)
  })

  it('a person who signs up in the app’s flow enrols as well', async () => {
    const app = await strict()
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid', prompt: 'create' }))
    await browser.submit('/sign-up', {
      name: 'Grace Hopper',
      email: 'grace@example.org',
      password: PASSWORD,
    })
    await browser.submit('/verify-email', { code: await server.inbox.code('grace@example.org') })
    expect(browser.page.url.pathname).toMatch(/\/mfa-enrol$/)
    await browser.submit('/mfa-enrol', { code: await codeOf(secretOn(browser.page)) })
    expect(
      (await app.redeem((await browser.submit('/recovery-codes')).url)).claims(),
    ).toMatchObject(MULTI)
  })

  it('a session with one factor is asked to step up, and prompt=none is refused', async () => {
    const account = await createAccount(server)
    const { browser } = await signedIn(server, { account })
    const app = await strict()
    const silent = await browser
      .copy()
      .visit(app.authorizationUrl({ scope: 'openid', prompt: 'none' }))
    expect(silent.url.searchParams.get('error')).toBe('interaction_required')
    const page = await browser.visit(app.authorizationUrl({ scope: 'openid' }))
    expect(page.h1).toBe('Confirm it is you')
    expect((await enter(browser, account)).url.pathname).toMatch(/\/mfa-enrol$/)
  })

  it('a session with two factors is enough, until its second factor is a day old', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const { browser } = await signedIn(server, { account, authenticator, remember: true })
    const app = await strict()
    const back = await browser.visit(app.authorizationUrl({ scope: 'openid', prompt: 'none' }))
    expect((await app.redeem(back.url)).claims()).toMatchObject(MULTI)
    await age(server, account.id, 86_401)
    expect((await browser.visit(app.authorizationUrl({ scope: 'openid' }))).h1).toBe(
      'Confirm it is you',
    )
  })

  it('TF-10 a recovery code lets the person in once and never claims two factors', async () => {
    const account = await createAccount(server)
    const { recoveryCodes } = await enableMfa(server, account)
    const app = await strict()
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid' }))
    await enter(browser, account)
    await browser.follow(
      browser.page.links.find(({ search }) => search === '?method=recovery') ?? '',
    )
    const back = await browser.submit('/mfa', { code: recoveryCodes[0] ?? '' })
    expect((await app.redeem(back.url)).claims()).toMatchObject({
      acr: 'urn:gatehouse:acr:1fa',
      amr: ['pwd'],
    })
    expect((await browser.visit(app.authorizationUrl({ scope: 'openid' }))).h1).toBe(
      'Confirm it is you',
    )
  })

  it('TF-10 acr_values asks for a second factor of this sign-in', async () => {
    const account = await createAccount(server)
    const { browser } = await signedIn(server, { account })
    const authenticator = await enableMfa(server, account)
    const app = await relyingParty(server, { firstParty: true })
    const first = await browser.visit(app.authorizationUrl({ scope: 'openid' }))
    expect((await app.redeem(first.url)).claims()).toMatchObject({
      acr: 'urn:gatehouse:acr:1fa',
      amr: ['pwd'],
    })
    await browser.visit(
      app.authorizationUrl({ scope: 'openid', acr_values: 'urn:gatehouse:acr:2fa' }),
    )
    const back = await enter(browser, account, { authenticator })
    expect((await app.redeem(back.url)).claims()).toMatchObject(MULTI)
  })

  it('no address of the interaction leads past the enrolment', async () => {
    const account = await createAccount(server)
    const app = await strict()
    const browser = new Browser(server.origin)
    const url = app.authorizationUrl({ scope: 'openid' })
    await browser.visit(url)
    const enrol = await enter(browser, account)
    const base = enrol.url.pathname.replace(/mfa-enrol$/, '')
    const csrf = enrol.form('/mfa-enrol').fields.find(({ name }) => name === '_csrf')?.value ?? ''
    for (const step of [
      '',
      'login',
      'mfa',
      'sign-up',
      'verify-email',
      'select-account',
      'consent',
      'recovery-codes',
    ]) {
      const page = await browser.copy().visit(base + step)
      expect(`${step} ${page.isForeign}`).toBe(`${step} false`)
    }
    for (const [step, form] of [
      ['recovery-codes', {}],
      ['mfa', { code: '123456' }],
      ['consent', { decision: 'allow' }],
      ['select-account', { choice: 'continue' }],
      ['mfa-enrol', { code: '' }],
    ] as const) {
      const page = await browser.copy().post(base + step, { _csrf: csrf, ...form })
      expect(`${step} ${page.isForeign}`).toBe(`${step} false`)
    }
    expect((await browser.copy().visit(base.replace('/interaction/', '/auth/'))).isForeign).toBe(
      false,
    )
    expect((await browser.copy().visit('/account')).h1).toBe('Sign in')
    expect((await browser.copy().visit(url)).isForeign).toBe(false)
    expect(await server.context.sessions.list(account.id)).toEqual([])
  })

  it('PW-10 a reset in the middle of the enrolment ends it: neither factor nor session comes of it', async () => {
    for (const moment of ['before the code', 'after the code'] as const) {
      const account = await createAccount(server)
      const app = await strict()
      const thief = new Browser(server.origin)
      await thief.visit(app.authorizationUrl({ scope: 'openid' }))
      await enter(thief, account)
      const secret = secretOn(thief.page)
      if (moment === 'after the code')
        await thief.submit('/mfa-enrol', { code: await codeOf(secret) })
      await server.context.passwords.replace(account.id, 'twelve quiet otters sail home')
      const page =
        moment === 'after the code'
          ? await thief.submit('/recovery-codes')
          : await thief.submit('/mfa-enrol', { code: await codeOf(secret) })
      expect(`${moment}: ${page.isForeign}`).toBe(`${moment}: false`)
      expect((await load(account.id)).mfaEnabled).toBe(moment === 'after the code')
      expect(await server.context.sessions.list(account.id)).toEqual([])
    }
  })
})

describe('TF-11 two factors demanded by the operator', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ signIn: { requiredLevel: '2fa' } })
  })
  afterAll(() => server.stop())

  it('every sign-in enrols, the one to the account pages too', async () => {
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    await browser.visit('/account/profile')
    await enter(browser, account)
    await browser.submit('/mfa-enrol', { code: await codeOf(secretOn(browser.page)) })
    expect((await browser.submit('/recovery-codes')).url.pathname).toBe('/account/profile')
  })

  it('who turns it off sets it up again before anything else', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const { browser } = await signedIn(server, {
      account,
      authenticator,
      path: '/account/mfa/disable',
    })
    await forgetStep(server, account.id)
    await browser.submit('/account/mfa/disable', { code: await authenticator.code() })
    const page = await browser.visit('/account/profile')
    expect(page.h1).toBe('Confirm it is you')
    expect((await enter(browser, account)).url.pathname).toMatch(/\/mfa-enrol$/)
  })

  it('who came by a recovery code reaches the account pages to set up a new factor', async () => {
    const account = await createAccount(server)
    const { recoveryCodes } = await enableMfa(server, account)
    const browser = new Browser(server.origin)
    await browser.visit('/account/mfa/disable')
    await enter(browser, account)
    await browser.follow(
      browser.page.links.find(({ search }) => search === '?method=recovery') ?? '',
    )
    await browser.submit('/mfa', { code: recoveryCodes[0] ?? '' })
    expect(browser.page.url.pathname).toBe('/account/mfa/disable')
    const next = await browser.submit('/account/mfa/disable', { code: recoveryCodes[1] ?? '' })
    expect(next.h1).toBe('Confirm it is you')
    expect((await enter(browser, account)).url.pathname).toMatch(/\/mfa-enrol$/)
  })

  it('the JSON door issues nothing for one factor', async () => {
    const account = await createAccount(server)
    const credentials = { email: account.email, password: PASSWORD }
    const refused = await api(server, 'POST /sign-in/email', credentials)
    expect(refused).toMatchObject({ status: 401, body: { error: 'mfa_required', methods: [] } })
    expect(refused.text).not.toContain('token"')
    const authenticator = await enableMfa(server, account)
    const { body } = await api(server, 'POST /sign-in/email', credentials)
    const code = await authenticator.code()
    expect(
      (await api(server, 'POST /sign-in/email', { ...credentials, token: body.token, code }))
        .status,
    ).toBe(200)
  })

  it('TF-11 the JSON door is closed to an account that turns its second factor off, and to a token from before the demand', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const credentials = { email: account.email, password: account.password }
    const { body } = await api(server, 'POST /sign-in/email', credentials)
    const done = await api(server, 'POST /sign-in/email', {
      token: body.token,
      code: await authenticator.code(),
    })
    const { access_token: token, refresh_token: refreshToken } = done.body
    const { pool } = server.context.database
    for (const [hasMfa, status] of [
      [true, 200],
      [false, 401],
      [true, 200],
    ] as const) {
      await pool.query(
        'update "account" set "mfa_enabled" = $2, "strongest" = $3 where "id" = $1',
        [account.id, hasMfa, hasMfa ? 2 : 1],
      )
      expect((await api(server, 'POST /user/me', undefined, { token })).status).toBe(status)
    }
    const off = await api(server, 'POST /disable/mfa', {}, { token })
    const code = authenticator.recoveryCodes[0]
    expect(
      (await api(server, 'POST /disable/mfa', { token: off.body.token, code }, { token })).status,
    ).toBe(200)
    expect((await api(server, 'GET /user/export', undefined, { token })).status).toBe(401)
    const next = await api(server, 'PATCH /user/refresh', { refresh_token: refreshToken })
    expect(
      (await api(server, 'POST /user/me', undefined, { token: next.body.access_token })).status,
    ).toBe(401)
    expect((await api(server, 'POST /sign-in/email', credentials)).body).toMatchObject({
      error: 'mfa_required',
      methods: [],
    })
  })
})
