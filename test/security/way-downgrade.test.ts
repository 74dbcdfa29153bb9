import { describe, expect, it } from '@jest/globals'
import { ACR } from '../../src/accounts/factors/levels.ts'
import { PASSWORD as PASSWORD_METHOD } from '../../src/accounts/factors/methods/password.ts'
import { TOTP } from '../../src/accounts/factors/methods/totp.ts'
import { Account } from '../../src/entities/index.ts'
import { api } from '../support/api.ts'
import { Browser, type Page } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { csrfOf } from '../support/forms.ts'
import { givePasskey, showPasskey } from '../support/passkeys.ts'
import { enableMfa, enter, ORIGIN } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import { useApi } from '../support/use-server.ts'

const UNMET = 'unmet_authentication_requirements'
const OFF = 'That way of signing in is not offered here'

const errorOf = (page: Page) => page.url.searchParams.get('error')

/** Posts a password where the page may have no field for it. */
function postPassword(browser: Browser, person: { email: string; password: string }) {
  const { page } = browser
  const form = page.forms.find(({ action }) => action.pathname.startsWith('/interaction/'))
  const csrf = csrfOf(form)
  const path = form?.action.pathname.replace(/[^/]+$/, 'login') ?? ''
  return browser.post(path, { _csrf: csrf, username: person.email, password: person.password })
}

/** Back to the app, which asks for more than the person has. */
function leaveFor(browser: Browser): Promise<Page> {
  const form = browser.page.forms.find(({ action }) => action.pathname.endsWith('/leave'))
  if (!form) throw new Error(`no way back: ${browser.page.words}`)
  return browser.submit(form)
}

describe('a way in that the operator does not offer', () => {
  const server = useApi({ signIn: { methods: ['passkey'] } })

  it('TF-11 EN-01 takes no password at either door, right or wrong, of anybody or nobody', async () => {
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    for (const email of [account.email, 'nobody@example.org'])
      for (const password of [PASSWORD, 'wrong wrong wrong'])
        expect((await api(server, 'POST /sign-in/email', { email, password })).body.error).toBe(
          'method_not_offered',
        )
    const app = await relyingParty(server, { firstParty: true })
    await browser.visit(app.authorizationUrl())
    const page = await postPassword(browser, account)
    expect([page.status, page.words.includes(OFF)]).toEqual([403, true])
    expect(await server.context.sessions.list(account.id)).toEqual([])
  })
})

describe('what an app demands of a sign-in', () => {
  const server = useApi()

  it('an app that takes passkeys only is entered by no password', async () => {
    const app = await relyingParty(server, { firstParty: true, signInMethods: ['passkey'] })
    const account = await createAccount(server)
    const { authenticator } = await givePasskey(server, { ...account, name: 'Ada' })
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl())
    expect((await postPassword(browser, account)).words).toContain(OFF)
    await browser.visit(app.authorizationUrl())
    const back = await showPasskey(browser, authenticator)
    expect((await app.redeem(back.url)).claims()).toMatchObject({
      acr: ACR.multiFactor,
      amr: ['pop', 'user', 'mfa'],
    })
  })

  it.each([
    ['acr_values', {}, { acr_values: 'phr' }],
    ['default_acr_values', { defaultAcrValues: ['phr'] }, {}],
    ['require_acr', { requireAcr: 'phr' }, {}],
  ] as const)(
    'TF-10 phr by %s is not reached by password and app, and the person is not lost',
    async (_how, client, wish) => {
      const app = await relyingParty(server, {
        firstParty: true,
        ...('defaultAcrValues' in client ? { defaultAcrValues: ['phr'] } : client),
      })
      const plain = await relyingParty(server, { firstParty: true })
      const account = await createAccount(server)
      const totp = await enableMfa(server, account)
      const browser = new Browser(server.origin)
      await browser.visit(app.authorizationUrl(wish))
      const back = await enter(browser, account, { authenticator: totp })
      expect(back.step).toBe('passkey-offer')
      const declined = await leaveFor(browser)
      expect([declined.step, errorOf(declined)]).toEqual(['app', UNMET])
      expect(await server.context.sessions.list(account.id)).toEqual([])

      // A session of two factors, opened for another app, is not enough either.
      await browser.visit(plain.authorizationUrl())
      await enter(browser, account, { authenticator: totp })
      const silent = await browser.visit(app.authorizationUrl({ ...wish, prompt: 'none' }))
      expect(silent.url.searchParams.get('code')).toBeNull()

      const { authenticator } = await givePasskey(server, { ...account, name: 'Ada' })
      await browser.visit(app.authorizationUrl(wish))
      const done = await showPasskey(browser, authenticator)
      expect((await app.redeem(done.url)).claims()).toMatchObject({
        acr: 'requireAcr' in client ? ACR.multiFactor : 'phr',
      })
    },
  )

  it('TF-10 phr is reached by password and passkey, and the second step offers nothing less', async () => {
    const app = await relyingParty(server, { firstParty: true })
    const account = await createAccount(server)
    await enableMfa(server, account)
    const { authenticator } = await givePasskey(server, { ...account, name: 'Ada' })
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ acr_values: 'phr' }))
    const second = await enter(browser, account)
    expect(second.url.pathname).toMatch(/\/mfa$/)
    expect([second.text.includes('id="code"'), second.text.includes('method=recovery')]).toEqual([
      false,
      false,
    ])
    const back = await showPasskey(browser, authenticator)
    expect((await app.redeem(back.url)).claims()).toMatchObject({
      acr: 'phr',
      amr: ['pwd', 'pop', 'user', 'mfa'],
    })
  })
})

describe('passkeys demanded of everybody', () => {
  const server = useApi({ signIn: { requiredLevel: 'phr' } })

  it('TF-11 neither door is opened by less, and a session of less opens nothing', async () => {
    const account = await createAccount(server)
    const { email, password, id: accountId } = account
    expect((await api(server, 'POST /sign-in/email', { email, password })).body).toMatchObject({
      error: 'mfa_required',
      methods: [],
    })
    const totp = await enableMfa(server, account)
    const { body } = await api(server, 'POST /sign-in/email', { email, password })
    const second = { token: body.token, code: await totp.code() }
    expect((await api(server, 'POST /sign-in/email', second)).body.error).toBe('mfa_required')
    expect(await server.context.sessions.list(accountId)).toEqual([])

    const { credentialVersion } = await server.context.database.em
      .fork()
      .findOneOrFail(Account, { id: accountId })
    const older = await server.context.firstPartyTokens.issue(
      { accountId, credentialVersion, proofs: [PASSWORD_METHOD, TOTP] },
      ORIGIN,
    )
    const token = older.tokens.access_token
    expect((await api(server, 'POST /user/me', undefined, { token })).status).toBe(401)
  })
})
