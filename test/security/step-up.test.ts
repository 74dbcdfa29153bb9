import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Account } from '../../src/entities/index.ts'
import {
  api,
  canRefresh,
  isAlive,
  signedIn as signedInByApi,
  signIn,
  startApi,
  withMfa,
} from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { codeOf, enableMfa, enter, forgetStep, signedIn } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'

const ORIGIN = { ip: '192.0.2.1', userAgent: '', requestId: 'test' }
const SENSITIVE_PAGES = [
  'email',
  'password',
  'mfa',
  'mfa/disable',
  'recovery-codes',
  'delete',
  'export',
]
const NEW_ADDRESS = 'thief@example.net'

let server: TestServer
beforeAll(async () => {
  server = await startApi()
})
afterAll(() => server.stop())

const load = (id: string) => server.context.database.em.fork().findOneOrFail(Account, { id })
/**
 * As the previous version leaves a session that was there when two-step sign-in was turned on: with
 * the password alone.
 */
const leaveAtOneFactor = (accountId: string) =>
  server.context.database.pool.query(
    `update "session" set "second_proved_at" = null, "amr" = '{pwd}' where "account_id" = $1`,
    [accountId],
  )

/** Everything sensitive at the JSON door, with nothing and with the right password. */
const sensitiveCalls = (password: string) => [
  ['POST /recovery-codes', {}],
  ['POST /recovery-codes', { password }],
  ['POST /enable/mfa', { password }],
  ['POST /disable/mfa', {}],
  ['POST /disable/mfa', { password }],
  ['PATCH /edit/email', { email: NEW_ADDRESS }],
  ['PATCH /edit/email', { email: NEW_ADDRESS, password }],
  ['DELETE /user', { password }],
  ['GET /user/export', undefined],
]

describe('SE-10 fresh means fresh with the second factor', () => {
  it('at the JSON door neither a young session with one factor nor the password does anything sensitive', async () => {
    const owner = await signedInByApi(server)
    await withMfa(server, owner)
    await leaveAtOneFactor(owner.id)
    for (const [route, body] of sensitiveCalls(owner.password) as [string, object | undefined][]) {
      const answer = await api(server, route, body, { token: owner.token })
      expect(`${route} ${JSON.stringify(body)}: ${answer.status} ${answer.body.error}`).toBe(
        `${route} ${JSON.stringify(body)}: 403 reauthentication_required`,
      )
    }
    expect(await load(owner.id)).toMatchObject({
      mfaEnabled: true,
      email: owner.email,
      status: 'active',
    })
  })

  it('on the pages such a session signs in again, with both factors', async () => {
    const account = await createAccount(server)
    const { browser } = await signedIn(server, { account })
    const authenticator = await enableMfa(server, account)
    await leaveAtOneFactor(account.id)
    for (const path of SENSITIVE_PAGES) {
      const page = await browser.copy().visit(`/account/${path}`)
      expect(`${path}: ${page.h1}`).toBe(`${path}: Sign in`)
    }
    await browser.visit('/account/recovery-codes')
    await forgetStep(server, account.id)
    expect((await enter(browser, account)).url.pathname).toMatch(/\/mfa$/)
    await browser.submit('/mfa', { code: await authenticator.code() })
    expect(browser.page.url.pathname).toBe('/account/recovery-codes')
  })

  it('a form that such a session has open makes no recovery codes', async () => {
    const account = await createAccount(server)
    const { browser } = await signedIn(server, { account })
    await enableMfa(server, account)
    await browser.visit('/account/recovery-codes')
    const form = browser.page.form('/account/recovery-codes')
    const before = await server.context.recoveryCodes.uses(account.id)
    await leaveAtOneFactor(account.id)
    const page = await browser.submit(form)
    expect(page.h1).toBe('Sign in')
    expect(page.text).not.toMatch(/<li>[0-9A-Z-]{19}<\/li>/)
    expect(await server.context.recoveryCodes.uses(account.id)).toEqual(before)
  })

  it('TF-09 an old recovery code is enough for new ones', async () => {
    const account = await createAccount(server)
    const { recoveryCodes } = await enableMfa(server, account)
    const { body } = await api(server, 'POST /sign-in/email', {
      email: account.email,
      password: PASSWORD,
    })
    const done = await api(server, 'POST /sign-in/email', {
      token: body.token,
      code: recoveryCodes[0],
    })
    const made = await api(server, 'POST /recovery-codes', {}, { token: done.body.access_token })
    expect(made).toMatchObject({ status: 200, body: { recovery_codes: expect.any(Array) } })
  })
})

describe('TF-05 turning two-step sign-in on ends what did not show it', () => {
  it('at the JSON door: other sessions and their refresh tokens end, its own goes on', async () => {
    const owner = await signedInByApi(server)
    const thief = await signIn(server, owner)
    await withMfa(server, owner)
    expect(await isAlive(server, thief.token)).toBe(false)
    expect(await canRefresh(server, thief.refreshToken)).toBe(false)
    expect(await isAlive(server, owner.token)).toBe(true)
    expect(await canRefresh(server, owner.refreshToken)).toBe(true)
    expect((await api(server, 'POST /recovery-codes', {}, { token: thief.token })).status).toBe(401)
  })

  it('on the pages: another browser is signed out, and an app that stayed signed in through it too', async () => {
    const account = await createAccount(server)
    const { browser: thief } = await signedIn(server, { account })
    const app = await relyingParty(server, { firstParty: true })
    const back = await thief.visit(app.authorizationUrl({ scope: 'openid offline_access' }))
    const { refresh_token: refreshToken = '' } = await app.redeem(back.url)
    expect(refreshToken).not.toBe('')

    const { browser } = await signedIn(server, { account, path: '/account/mfa' })
    await browser.submit('/account/mfa/start')
    const secret = (
      /<code class="secret"[^>]*>([A-Z2-7 ]+)</.exec(browser.page.text)?.[1] ?? ''
    ).replaceAll(' ', '')
    await browser.submit('/account/mfa', { code: await codeOf(secret) })
    expect((await load(account.id)).mfaEnabled).toBe(true)

    expect((await thief.visit('/account/recovery-codes')).h1).toBe('Sign in')
    await expect(app.refresh(refreshToken)).rejects.toMatchObject({ error: 'invalid_grant' })
    expect((await browser.visit('/account/recovery-codes')).h1).toBe('Recovery codes')
  })

  it('a sign-in that it overtakes opens no session', async () => {
    const { id, email } = await createAccount(server)
    const { firstPartyTokens, signIn: useCase } = server.context
    const outcome = await useCase.withPassword(
      { email, password: PASSWORD, binding: 'api' },
      ORIGIN,
    )
    if (outcome.status !== 'signed_in') throw new Error(outcome.status)
    await enableMfa(server, { id, email })
    const issued = firstPartyTokens.issue(outcome, ORIGIN)
    await expect(issued).rejects.toMatchObject({ code: 'invalid_credentials' })
    expect(await server.context.sessions.list(id)).toEqual([])
  })

  it('what waits for a code of the old state is void: a reset or another address that was begun', async () => {
    const owner = await signedInByApi(server)
    const thief = await signIn(server, owner)
    const begun = await api(
      server,
      'PATCH /edit/email',
      { email: `else.${owner.email}` },
      { token: thief.token },
    )
    const code = await server.inbox.code(`else.${owner.email}`)
    await withMfa(server, owner)
    const done = { email: `else.${owner.email}`, tokenId: begun.body.tokenId, code }
    expect((await api(server, 'PATCH /edit/email', done, { token: owner.token })).body.error).toBe(
      'invalid_code',
    )
  })
})

describe('TF-11 where two factors are demanded, the session is asked, not the account', () => {
  let strict: TestServer
  beforeAll(async () => {
    strict = await startApi({ signIn: { requiredLevel: '2fa' } })
  })
  afterAll(() => strict.stop())
  const leave = (accountId: string) =>
    strict.context.database.pool.query(
      `update "session" set "second_proved_at" = null, "amr" = '{pwd}' where "account_id" = $1`,
      [accountId],
    )

  it('a session with one factor opens nothing at either door, though its account has two', async () => {
    const account = await createAccount(strict)
    const authenticator = await enableMfa(strict, account)
    const { browser } = await signedIn(strict, { account, authenticator })
    await forgetStep(strict, account.id)
    const { body } = await api(strict, 'POST /sign-in/email', {
      email: account.email,
      password: PASSWORD,
    })
    const done = await api(strict, 'POST /sign-in/email', {
      token: body.token,
      code: await authenticator.code(),
    })
    expect(await isAlive(strict, done.body.access_token)).toBe(true)
    await leave(account.id)
    await strict.context.database.pool.query(
      `update "oidc_artifact" set "payload" = "payload" || '{"acr":"urn:gatehouse:acr:1fa","amr":["pwd"]}' where "model" = 'Session' and "account_id" = $1`,
      [account.id],
    )
    expect(await isAlive(strict, done.body.access_token)).toBe(false)
    expect((await browser.visit('/account/profile')).h1).toBe('Confirm it is you')
  })

  it('TF-10 a sign-in by recovery code is let in once, and reaches what replaces the factor and nothing else', async () => {
    const account = await createAccount(strict)
    const { recoveryCodes } = await enableMfa(strict, account)
    const browser = new Browser(strict.origin)
    await browser.visit('/account/profile')
    await enter(browser, account)
    await browser.follow(
      browser.page.links.find(({ search }) => search === '?method=recovery') ?? '',
    )
    await browser.submit('/mfa', { code: recoveryCodes[0] ?? '' })
    expect(browser.page.url.pathname).toBe('/account/mfa/disable')
    for (const path of [
      '',
      '/profile',
      '/email',
      '/sessions',
      '/export',
      '/recovery-codes',
      '/delete',
    ])
      expect((await browser.copy().visit(`/account${path}`)).url.pathname).toBe(
        '/account/mfa/disable',
      )

    const { body } = await api(strict, 'POST /sign-in/email', {
      email: account.email,
      password: PASSWORD,
    })
    const done = await api(strict, 'POST /sign-in/email', {
      token: body.token,
      code: recoveryCodes[1],
    })
    const token = done.body.access_token
    expect(await api(strict, 'POST /user/me', undefined, { token })).toMatchObject({
      status: 401,
      body: { error: 'mfa_required' },
    })
    expect((await api(strict, 'POST /recovery-codes', {}, { token })).status).toBe(401)
    const off = await api(strict, 'POST /disable/mfa', {}, { token })
    expect(off.status).toBe(200)
    expect(
      (
        await api(
          strict,
          'POST /disable/mfa',
          { token: off.body.token, code: recoveryCodes[2] },
          { token },
        )
      ).status,
    ).toBe(200)
    expect((await api(strict, 'POST /user/me', undefined, { token })).status).toBe(401)
  })
})
