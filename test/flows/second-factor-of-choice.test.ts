import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ACR } from '../../src/accounts/factors/levels.ts'
import { Browser } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { makePasskey } from '../support/passkeys.ts'
import { codeOf } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

describe('TF-11 who has to set up a second factor', () => {
  let server: TestServer
  let appsOnly: TestServer
  beforeAll(async () => {
    ;[server, appsOnly] = await Promise.all([
      startServer({ signIn: { requiredLevel: '2fa' } }),
      startServer({ signIn: { requiredLevel: '2fa', secondFactors: ['totp'] } }),
    ])
  })
  afterAll(async () => {
    await server.stop()
    await appsOnly.stop()
  })

  /** Half way to an app, which no second factor has been shown to. */
  async function half(at: TestServer) {
    const account = await createAccount(at)
    const party = await relyingParty(at, { firstParty: true })
    const browser = new Browser(at.origin)
    await browser.visit(party.authorizationUrl())
    const { email: username, password } = account
    await browser.submit('/login', { username, password })
    expect(browser.page.step).toBe('mfa-enrol')
    const toPasskey = browser.page.links.find(({ pathname }) => pathname.endsWith('/passkey-offer'))
    return { account, party, browser, toPasskey }
  }

  it('makes a passkey instead of setting up an app', async () => {
    const { account, party, browser, toPasskey } = await half(server)
    await browser.follow(toPasskey ?? '')
    await makePasskey(browser)
    expect(browser.page.step).toBe('recovery-codes')
    await browser.submit('/recovery-codes')
    const claims = (await party.redeem(browser.page.url)).claims()
    expect([claims?.acr, claims?.['amr']]).toEqual([ACR.multiFactor, ['pwd', 'pop', 'user', 'mfa']])
    expect(await server.context.passkeys.list(account.id)).toHaveLength(1)
  })

  it('comes back to the app from there', async () => {
    const { account, browser, toPasskey } = await half(server)
    const page = await browser.follow(toPasskey ?? '')
    await browser.follow(page.links.find(({ pathname }) => pathname.endsWith('/mfa-enrol')) ?? '')
    const { secret = '' } = (await server.context.mfa.pendingEnrolment(account)) ?? {}
    await browser.submit('/mfa-enrol', { code: await codeOf(secret) })
    await browser.submit('/recovery-codes')
    expect(browser.page.step).toBe('app')
  })

  it('cannot say "not now"', async () => {
    const { browser, toPasskey } = await half(server)
    const page = await browser.follow(toPasskey ?? '')
    const { action, fields } = page.form('/passkey-offer')
    const csrf = fields.find(({ name }) => name === '_csrf' || name === 'csrf')
    await browser.post(`${action.pathname}/decline`, { [csrf?.name ?? '']: csrf?.value ?? '' })
    expect(browser.page.step).toBe('login')
    expect((await browser.visit('/account')).step).toBe('login')
  })

  it('leaves as before: the operator demands it, not the app', async () => {
    const { browser } = await half(server)
    const page = await browser.submit('/leave')
    expect(page.url.searchParams.get('error')).toBe('access_denied')
  })

  it('is offered no passkey where SECOND_FACTORS names none', async () => {
    const { browser, toPasskey } = await half(appsOnly)
    expect(toPasskey).toBeUndefined()
    const there = browser.page.url.pathname.replace('mfa-enrol', 'passkey-offer')
    expect((await browser.visit(there)).step).toBe('mfa-enrol')
  })
})
