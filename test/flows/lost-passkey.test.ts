import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { api } from '../support/api.ts'
import { Authenticator } from '../support/authenticator.ts'
import { Browser, type Page } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { givePasskey, makePasskey } from '../support/passkeys.ts'
import { codeOf, enableMfa, enter } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

const recoveryOn = ({ links }: Page) => links.find(({ search }) => search === '?method=recovery')

describe('TF-11 whose only second factor is a passkey that is lost', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ signIn: { requiredLevel: '2fa' } })
  })
  afterAll(() => server.stop())

  async function owner() {
    const account = await createAccount(server)
    return { account, ...(await givePasskey(server, account)) }
  }

  it('reaches the passkeys by a recovery code, makes another and takes the lost one away', async () => {
    const { account, passkey, recoveryCodes } = await owner()
    const browser = new Browser(server.origin)
    await browser.visit('/account/profile')
    await enter(browser, account)
    await browser.follow(recoveryOn(browser.page) ?? '')
    await browser.submit('/mfa', { code: recoveryCodes[0] ?? '' })
    expect([browser.page.status, browser.page.url.pathname]).toEqual([200, '/account/passkeys'])
    for (const path of ['/account', '/account/mfa/disable', '/account/sessions'])
      expect(`${path} ${(await browser.copy().visit(path)).url.pathname}`).toBe(
        `${path} /account/passkeys`,
      )

    await browser.visit('/account/passkeys/new')
    await makePasskey(browser)
    expect((await browser.visit('/account/profile')).url.pathname).toBe('/account/profile')
    await browser.visit('/account/passkeys')
    await browser.submit(`/account/passkeys/${passkey.id}/remove`)
    expect((await server.context.passkeys.list(account.id)).map(({ id }) => id)).toEqual([
      expect.not.stringContaining(passkey.id),
    ])
  })

  it('does so through the API, which opens nothing else', async () => {
    const { account, recoveryCodes } = await owner()
    const { email, password } = account
    const first = await api(server, 'POST /sign-in/email', { email, password })
    const typed = { token: first.body.token, code: recoveryCodes[0] }
    const { body } = await api(server, 'POST /sign-in/email', typed)
    const own = { token: body.access_token }
    expect((await api(server, 'GET /user/export', undefined, own)).body.error).toBe('mfa_required')
    const { passkeys } = (await api(server, 'GET /passkeys', undefined, own)).body
    expect(passkeys).toHaveLength(1)
    const begun = await api(server, 'POST /passkeys/options', {}, own)
    expect(begun.status).toBe(200)
    const credential = new Authenticator(server.origin).register(begun.body.publicKey)
    const added = await api(server, 'POST /passkeys', { token: begun.body.token, credential }, own)
    expect(added.status).toBe(200)
    expect((await api(server, 'GET /user/export', undefined, own)).status).toBe(200)
  })

  it('may take it away and keep another one without leaving the passkeys', async () => {
    const { account, passkey, recoveryCodes } = await owner()
    await givePasskey(server, account)
    const { email, password } = account
    const first = await api(server, 'POST /sign-in/email', { email, password })
    const typed = { token: first.body.token, code: recoveryCodes[0] }
    const own = { token: (await api(server, 'POST /sign-in/email', typed)).body.access_token }
    const path = `DELETE /passkeys/${passkey.id}`
    expect((await api(server, path, undefined, own)).status).toBe(204)
    expect(await server.context.passkeys.list(account.id)).toHaveLength(1)
  })

  it('sets up an app in its place', async () => {
    const { account, recoveryCodes } = await owner()
    const { email, password } = account
    const first = await api(server, 'POST /sign-in/email', { email, password })
    const typed = { token: first.body.token, code: recoveryCodes[0] }
    const own = { token: (await api(server, 'POST /sign-in/email', typed)).body.access_token }
    const { token, secret } = (await api(server, 'POST /enable/mfa', {}, own)).body
    const confirmed = { token, code: await codeOf(secret) }
    expect((await api(server, 'POST /enable/mfa', confirmed, own)).status).toBe(200)
    expect((await api(server, 'GET /user/export', undefined, own)).status).toBe(200)
  })

  it('finds the passkeys once the app, lost too, is off', async () => {
    const { account } = await owner()
    const { recoveryCodes } = await enableMfa(server, account)
    const browser = new Browser(server.origin)
    await browser.visit('/account')
    await enter(browser, account)
    await browser.follow(recoveryOn(browser.page) ?? '')
    await browser.submit('/mfa', { code: recoveryCodes[0] ?? '' })
    expect(browser.page.url.pathname).toBe('/account/mfa/disable')
    await browser.submit('/account/mfa/disable', { code: recoveryCodes[1] ?? '' })
    expect([browser.page.status, browser.page.url.pathname]).toEqual([200, '/account/passkeys'])
  })
})

describe('TF-11 whose passkey is lost where no passkey is taken any more', () => {
  let server: TestServer
  beforeAll(async () => {
    const signIn = { methods: ['password'], secondFactors: ['totp'], requiredLevel: '2fa' } as const
    server = await startServer({ signIn })
  })
  afterAll(() => server.stop())

  it('sets up an app', async () => {
    const account = await createAccount(server)
    const { recoveryCodes } = await givePasskey(server, account)
    const browser = new Browser(server.origin)
    await browser.visit('/account')
    await enter(browser, account)
    await browser.follow(recoveryOn(browser.page) ?? '')
    await browser.submit('/mfa', { code: recoveryCodes[0] ?? '' })
    expect([browser.page.status, browser.page.url.pathname]).toEqual([200, '/account/mfa'])
    await browser.submit('/account/mfa/start')
    const secret = (await server.context.mfa.pendingEnrolment(account))?.secret ?? ''
    await browser.submit('/account/mfa', { code: await codeOf(secret) })
    expect((await browser.visit('/account/profile')).url.pathname).toBe('/account/profile')
  })
})
