import { describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { csrfOf } from '../support/forms.ts'
import { enableMfa, enter, forgetStep, ORIGIN } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'
import { useServer } from '../support/use-server.ts'

const NEW_PASSWORD = 'twelve quiet otters sail home'
const TWO = 'urn:gatehouse:acr:2fa'

type Person = Awaited<ReturnType<typeof person>>
async function person(server: TestServer) {
  const account = await createAccount(server)
  return { account, authenticator: await enableMfa(server, account) }
}

/** A browser that its owner trusts, and in which nobody is signed in any more. */
async function trusted(server: TestServer, { account, authenticator }: Person) {
  const browser = new Browser(server.origin)
  await browser.visit('/account')
  await enter(browser, account)
  await browser.submit('/mfa', { code: await authenticator.code(), trust: 'yes' })
  expect(browser.page.url.pathname).toBe('/account')
  await browser.submit('/account/sign-out')
  await forgetStep(server, account.id)
  return browser
}

async function asks(browser: Browser, account: Person['account'], path = '/account') {
  await browser.visit(path)
  return (await enter(browser, account)).url.pathname
}

describe('TF-07 a trusted device under attack', () => {
  const server = useServer({ signIn: { trustedDeviceDays: 30, requiredLevel: '2fa' } })
  const query = (text: string, values: unknown[]) =>
    server.context.database.pool.query(text, values)

  it('TF-07 skips the second step, never the first, and its tokens say one factor', async () => {
    const ada = await person(server)
    const browser = await trusted(server, ada)
    const app = await relyingParty(server, { firstParty: true })
    await browser.visit(app.authorizationUrl())
    const wrong = await enter(browser, { ...ada.account, password: 'not the right one at all' })
    expect([wrong.status, wrong.url.pathname.endsWith('/login')]).toEqual([401, true])
    const page = await enter(browser, ada.account)
    expect(page.url.searchParams.get('code')).toBeTruthy()
    const [session] = await server.context.sessions.list(ada.account.id)
    expect([session?.amr, session?.acr, session?.secondProvedAt]).toEqual([
      ['pwd'],
      'urn:gatehouse:acr:1fa',
      null,
    ])
    expect((await browser.visit('/account')).url.pathname).toBe('/account')
    const silent = await browser.visit(app.authorizationUrl({ prompt: 'none' }))
    expect(silent.url.searchParams.get('code')).toBeTruthy()
  })

  it('TF-07 is told by mail and in the trail, listed, and ended by its owner, with what it opened', async () => {
    const ada = await person(server)
    const browser = await trusted(server, ada)
    expect(
      (await server.inbox.mails(ada.account.email)).map(({ subject }) => subject),
    ).toContainEqual(expect.stringContaining('is trusted'))
    expect(await asks(browser, ada.account)).toBe('/account')
    await browser.visit('/account/sessions')
    expect(browser.page.words).toContain('Trusted devices')
    await browser.submit('/account/sessions/distrust')
    expect((await browser.visit('/account')).h1).toBe('Confirm it is you')
    expect((await enter(browser, ada.account)).url.pathname).toMatch(/\/mfa$/)
    await server.context.audit.flush()
    const { rows } = await query('select "type" from audit_event where account_id = $1', [
      ada.account.id,
    ])
    const types = rows.map(({ type }) => type)
    expect(types).toContain('device_trusted')
    expect(types).toContain('device_untrusted')
  })

  it('TF-07 is of one account: the cookie is worth nothing to another', async () => {
    const [ada, eve] = [await person(server), await person(server)]
    const browser = await trusted(server, ada)
    expect(await asks(browser, eve.account)).toMatch(/\/mfa$/)
    const owner = await server.context.administration.find(ada.account.id)
    const [device] = await server.context.trustedDevices.list(owner)
    expect(device).toBeDefined()
    await server.context.trustedDevices.end(eve.account.id, device?.id ?? '', ORIGIN)
    expect(await asks(browser, ada.account)).toBe('/account')
  })

  it('TF-07 did for one sign-in: the one that takes its place in the same request is not said to be trusted', async () => {
    const [ada, eve] = [await person(server), await person(server)]
    const browser = await trusted(server, ada)
    const app = await relyingParty(server)
    await browser.visit(app.authorizationUrl())
    expect((await enter(browser, ada.account)).step).toBe('consent')
    await browser.submit('/switch-account')
    await browser.submit('/select-account', {}, { button: 'other' })
    await forgetStep(server, eve.account.id)
    await enter(browser, eve.account, { authenticator: eve.authenticator })
    expect(browser.page.step).toBe('consent')
    const opened = await query('select trusted_device as by from session where account_id = $1', [
      eve.account.id,
    ])
    expect(opened.rows).toEqual([{ by: null }])
    await server.context.audit.flush()
    const { rows } = await query(
      `select detail->'isTrustedDevice' as told, detail->'amr' as amr from audit_event
        where account_id = $1 and type = 'sign_in' and outcome = 'success'`,
      [eve.account.id],
    )
    expect(rows).toEqual([{ told: null, amr: ['pwd', 'otp', 'mfa'] }])
  })

  it('TF-07 a cookie that was there before the trust is not trusted: the browser gets a new one', async () => {
    const ada = await person(server)
    const browser = new Browser(server.origin)
    await browser.visit('/account')
    await enter(browser, ada.account, { authenticator: ada.authenticator })
    await browser.submit('/account/sign-out')
    await forgetStep(server, ada.account.id)
    const planted = browser.copy()
    await browser.visit('/account')
    await enter(browser, ada.account)
    await browser.submit('/mfa', { code: await ada.authenticator.code(), trust: 'yes' })
    expect(await asks(planted, ada.account)).toMatch(/\/mfa$/)
  })

  it.each<[string, (ada: Person) => Promise<unknown>]>([
    [
      'its days are over',
      ({ account }) =>
        query(`update known_device set trusted_until = now() where account_id = $1`, [account.id]),
    ],
    [
      'the credentials have changed',
      ({ account }) =>
        query(`update account set credential_version = credential_version + 1 where id = $1`, [
          account.id,
        ]),
    ],
    ['its owner signs out everywhere', ({ account }) => server.context.sessions.endAll(account.id)],
    [
      'two-step sign-in is set up anew',
      async ({ account }) => {
        await server.context.administration.removeMfa(account.id)
        await enableMfa(server, account)
      },
    ],
  ])('TF-07 asks again where %s', async (_words, change) => {
    const ada = await person(server)
    const browser = await trusted(server, ada)
    await change(ada)
    expect(await asks(browser, ada.account)).toMatch(/\/mfa/)
  })

  it('TF-07 a reset of the password ends it', async () => {
    const ada = await person(server)
    const browser = await trusted(server, ada)
    await browser.visit('/forgot-password')
    await browser.submit('/forgot-password', { email: ada.account.email })
    const code = await server.inbox.code(ada.account.email)
    await browser.submit('/reset-password', { code, password: NEW_PASSWORD })
    expect(await asks(browser, { ...ada.account, password: NEW_PASSWORD })).toMatch(/\/mfa$/)
  })

  it('TF-07 does not do for acr_values, for an app that demands two, or for a proof anew', async () => {
    const ada = await person(server)
    const browser = await trusted(server, ada)
    const app = await relyingParty(server, { firstParty: true })
    const strict = await relyingParty(server, { firstParty: true, requireAcr: '2fa' })
    for (const url of [
      app.authorizationUrl({ acr_values: TWO }),
      app.authorizationUrl({ max_age: '600' }),
      app.authorizationUrl({ prompt: 'login' }),
      strict.authorizationUrl(),
    ]) {
      const own = browser.copy()
      await own.visit(url)
      expect((await enter(own, ada.account)).url.pathname).toMatch(/\/mfa$/)
    }
    expect(await asks(browser, ada.account)).toBe('/account')
    for (const url of [
      app.authorizationUrl({ acr_values: TWO, prompt: 'none' }),
      strict.authorizationUrl({ prompt: 'none' }),
    ])
      expect((await browser.copy().visit(url)).url.searchParams.get('error')).toMatch(
        /^(login_required|interaction_required|unmet_authentication_requirements)$/,
      )
  })

  it('SE-10 opens no sensitive page', async () => {
    const ada = await person(server)
    const browser = await trusted(server, ada)
    expect(await asks(browser, ada.account)).toBe('/account')
    for (const path of [
      '/account/password',
      '/account/mfa',
      '/account/recovery-codes',
      '/account/delete',
      '/account/export',
    ]) {
      const own = browser.copy()
      expect((await own.visit(path)).url.pathname).toMatch(/^\/interaction\//)
      expect((await enter(own, ada.account)).url.pathname).toMatch(/\/mfa$/)
    }
  })

  it('TF-10 a recovery code makes no device trusted, were the checkbox forged', async () => {
    const ada = await person(server)
    const browser = new Browser(server.origin)
    await browser.visit('/account')
    const at = await enter(browser, ada.account)
    const csrf = csrfOf(at.form('/mfa'))
    const code = ada.authenticator.recoveryCodes[0] ?? ''
    await browser.post(at.url, { _csrf: csrf, code, trust: 'yes' })
    const { rows } = await query(
      'select 1 from known_device where account_id = $1 and trusted_until is not null',
      [ada.account.id],
    )
    expect(rows).toEqual([])
    await browser.visit(`${at.url.pathname}?method=recovery`)
    expect(browser.page.words).not.toContain('Skip this step')
  })
})

describe('where no device may be trusted', () => {
  const server = useServer()

  it('TF-07 there is no checkbox, and a forged one does nothing', async () => {
    const ada = await person(server)
    const browser = new Browser(server.origin)
    await browser.visit('/account')
    const at = await enter(browser, ada.account)
    expect(at.words).not.toContain('Skip this step')
    const csrf = csrfOf(at.form('/mfa'))
    await browser.post(at.url, { _csrf: csrf, code: await ada.authenticator.code(), trust: 'yes' })
    await browser.submit('/account/sign-out')
    await forgetStep(server, ada.account.id)
    expect(await asks(browser, ada.account)).toMatch(/\/mfa$/)
  })
})
