import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { LIFETIMES } from '../../src/config/limits.ts'
import { Account } from '../../src/entities/index.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { age, enableMfa, enter, forgetStep, signedIn } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const OLD_SECONDS = 601
const SENSITIVE = [
  'email',
  'email/confirm',
  'password',
  'password/confirm',
  'mfa',
  'mfa/disable',
  'recovery-codes',
  'delete',
  'export',
]
const CALM = ['', 'profile', 'sessions', 'apps', 'activity']

describe('SE-10 UX-36 sensitive pages ask again when the sign-in is old', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())
  const grow = (account: { id: string }) => age(server, account.id, OLD_SECONDS)
  const load = (id: string) => server.context.database.em.fork().findOneOrFail(Account, { id })

  it('asks after ten minutes, not before', async () => {
    expect(LIFETIMES.freshAuthentication).toBe(600)
    const { browser, account } = await signedIn(server)
    await age(server, account.id, 590)
    expect((await browser.visit('/account/email')).h1).toBe('E-mail address')
    await age(server, account.id, 11)
    expect((await browser.visit('/account/email')).h1).toBe('Confirm it is you')
  })

  it('every sensitive page asks who it is, no other does, and each goes on where the person was', async () => {
    const account = await createAccount(server)
    const { browser } = await signedIn(server, { account })
    await grow(account)
    for (const path of CALM)
      expect((await browser.visit(`/account/${path}`)).words).not.toContain('Confirm it is you')
    for (const path of SENSITIVE) {
      const visit = browser.copy()
      const page = await visit.visit(`/account/${path}`)
      expect(`${path}: ${page.h1}`).toBe(`${path}: Confirm it is you`)
      expect(page.text).toMatch(
        new RegExp(`name="username"[^>]*value="${account.email}"[^>]*readonly`),
      )
      expect(page.words).not.toContain('Create an account')
    }
    for (const path of ['email', 'password', 'mfa', 'delete']) {
      const { browser: visit, account } = await signedIn(server)
      await grow(account)
      await visit.visit(`/account/${path}`)
      expect((await enter(visit, account)).url.pathname).toBe(`/account/${path}`)
    }
  })

  it('a form that lay open is not carried out: the person confirms and finds the page again', async () => {
    const { browser, account } = await signedIn(server, { path: '/account/delete' })
    const form = browser.page.form('/account/delete')
    await grow(account)
    const page = await browser.submit(form, { confirmation: account.email })
    expect(page.h1).toBe('Confirm it is you')
    expect((await load(account.id)).status).toBe('active')
    expect((await enter(browser, account)).url.pathname).toBe('/account/delete')
  })

  it('TF-05 a session cookie alone enrols no factor, and makes no recovery codes', async () => {
    const { browser, account } = await signedIn(server, { path: '/account/mfa' })
    const start = browser.page.form('/account/mfa/start')
    await grow(account)
    expect((await browser.submit(start)).h1).toBe('Confirm it is you')
    expect(await server.context.mfa.pendingEnrolment(account)).toBeUndefined()
  })

  it('the wrong password changes nothing, and the account cannot be exchanged under way', async () => {
    const { browser, account } = await signedIn(server)
    const other = await createAccount(server, { password: 'another quiet harbour bell' })
    await grow(account)
    await browser.visit('/account/email')
    expect((await browser.submit('/login', { password: 'wrong wrong wrong' })).status).toBe(401)
    expect(browser.page.h1).toBe('Confirm it is you')
    const swapped = await browser.submit('/login', {
      username: other.email,
      password: other.password,
    })
    expect(swapped.status).toBe(401)
    expect(swapped.text).not.toContain(other.email)
    const done = await browser.submit('/login', { username: other.email, password: PASSWORD })
    expect(done.words).toContain(account.email)
  })

  it('signing in as somebody else is a way of its own: the first session ends, the second begins clean', async () => {
    const { browser, account } = await signedIn(server)
    const before = browser.copy()
    const other = await createAccount(server)
    await grow(account)
    const page = await browser.visit('/account/email')
    const login = await browser.follow(
      page.links.find(({ search }) => search === '?account=other') ?? '',
    )
    expect(login.h1).toBe('Sign in')
    expect(login.text).not.toContain(account.email)
    const done = await enter(browser, other)
    expect(done.url.pathname).toBe('/account/email')
    expect(done.words).toContain(other.email)
    expect(done.words).not.toContain(account.email)
    expect((await before.visit('/account')).h1).toBe('Sign in')
    expect(await server.context.sessions.list(account.id)).toEqual([])
  })

  it('SE-02 confirming changes the identifier, keeps the session and how long the device is remembered', async () => {
    const { browser, account } = await signedIn(server, { remember: true })
    const thief = browser.copy()
    await grow(account)
    const [before] = await server.context.sessions.list(account.id)
    await browser.visit('/account/email')
    await enter(browser, account)
    const after = await server.context.sessions.list(account.id)
    expect(after.map(({ id, isRemembered }) => ({ id, isRemembered }))).toEqual([
      { id: before?.id, isRemembered: true },
    ])
    expect(after[0]?.authenticatedAt.getTime()).toBeGreaterThan(
      before?.authenticatedAt.getTime() ?? 0,
    )
    expect((await thief.visit('/account')).h1).toBe('Sign in')
  })

  it('with two-step sign-in on, confirming takes both factors', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const { browser } = await signedIn(server, { account, authenticator })
    await forgetStep(server, account.id)
    await grow(account)
    await browser.visit('/account/recovery-codes')
    expect((await enter(browser, account)).url.pathname).toMatch(/\/mfa$/)
    expect((await browser.visit('/account/recovery-codes')).h1).toBe('Confirm it is you')
    await enter(browser, account, { authenticator })
    expect(browser.page.url.pathname).toBe('/account/recovery-codes')
  })

  it('max_age of an app asks the same person, and auth_time says when it was', async () => {
    const { browser, account } = await signedIn(server)
    const app = await relyingParty(server, { firstParty: true })
    await grow(account)
    await browser.visit(app.authorizationUrl({ scope: 'openid', max_age: '1' }))
    expect(browser.page.h1).toBe('Confirm it is you')
    const back = await enter(browser, account)
    const claims = (await app.redeem(back.url)).claims()
    expect(claims?.sub).toBe(account.id)
    expect(Number(claims?.auth_time)).toBeGreaterThan(Date.now() / 1000 - 5)
  })
})
