import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Account, TotpCredential } from '../../src/entities/index.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import {
  type Authenticator,
  age,
  enableMfa,
  enter,
  forgetStep,
  signedIn,
} from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const NEW_PASSWORD = 'twelve quiet otters sail home'

describe('the second factor of the hosted pages under attack', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ config: { trustedProxyHops: 1 } })
  })
  afterAll(() => server.stop())
  let networks = 0
  /** Everyone from a network of their own, so that the limits per network do not hide what is tested. */
  const newBrowser = () => {
    networks += 1
    return new Browser(server.origin, {
      headers: { 'x-forwarded-for': `10.0.${networks >> 8}.${networks & 255}` },
    })
  }
  const sessionsOf = ({ id }: { id: string }) => server.context.sessions.list(id)

  /** A browser that stands at the code step. */
  async function halfway(
    account: { id: string; email: string; password: string },
    path = '/account',
  ) {
    const browser = newBrowser()
    await browser.visit(path)
    const page = await enter(browser, account)
    expect(page.url.pathname).toMatch(/\/mfa$/)
    return browser
  }
  async function person(): Promise<{
    account: Awaited<ReturnType<typeof createAccount>>
    authenticator: Authenticator
  }> {
    const account = await createAccount(server)
    return { account, authenticator: await enableMfa(server, account) }
  }

  it('TF-01 the stored secret is sealed for its account: no base32 in the table, and another account’s box does not open', async () => {
    const [ada, eve] = [await person(), await person()]
    const em = server.context.database.em.fork()
    const rows = await em.find(TotpCredential, {
      account: { $in: [ada.account.id, eve.account.id] },
    })
    for (const { secretBox } of rows) {
      expect(secretBox.toString('latin1')).not.toContain(ada.authenticator.secret)
      expect(secretBox.toString('latin1')).not.toContain(eve.authenticator.secret)
    }
    const [hers] = rows.filter(({ account }) => account.id === eve.account.id)
    await em.nativeUpdate(
      TotpCredential,
      { account: ada.account.id },
      { secretBox: hers?.secretBox ?? Buffer.alloc(0) },
    )
    const browser = await halfway(ada.account)
    const page = await browser.submit('/mfa', { code: await eve.authenticator.code() })
    expect(page.status).toBeGreaterThanOrEqual(400)
    expect(await sessionsOf(ada.account)).toEqual([])
  })

  it('TF-02 takes the code of this half minute or the one before, and no other', async () => {
    const { account, authenticator } = await person()
    for (const steps of [-3, 2, 10]) {
      const browser = await halfway(account)
      expect(
        `${steps}: ${(await browser.submit('/mfa', { code: await authenticator.code(steps) })).status}`,
      ).toBe(`${steps}: 400`)
    }
    const browser = await halfway(account)
    expect(
      (await browser.submit('/mfa', { code: await authenticator.code(-1) })).url.pathname,
    ).toBe('/account')
  })

  it('TF-03 a code that was used is spent, and so is every earlier one', async () => {
    const { account, authenticator } = await person()
    const code = await authenticator.code()
    await (await halfway(account)).submit('/mfa', { code })
    for (const again of [code, await authenticator.code(-1)])
      expect((await (await halfway(account)).submit('/mfa', { code: again })).status).toBe(400)
    expect(await sessionsOf(account)).toHaveLength(1)
  })

  it('TF-04 an enrolment that is not confirmed asks for nothing, and is over after ten minutes', async () => {
    const { browser, account } = await signedIn(server, { path: '/account/mfa' })
    const page = await browser.submit('/account/mfa/start')
    const pending = await server.context.mfa.pendingEnrolment(account)
    expect(pending?.expiresInSeconds).toBeGreaterThan(590)
    expect(pending?.expiresInSeconds).toBeLessThanOrEqual(600)
    await signedIn(server, { account })
    const form = page.form('/account/mfa')
    const em = server.context.database.em.fork()
    await em.nativeUpdate(
      TotpCredential,
      { account: account.id },
      { expiresAt: new Date(Date.now() - 1000) },
    )
    const late = await browser.submit(form, { code: '123456' })
    expect(late.status).toBe(400)
    expect(late.text).not.toContain(pending?.secret)
  })

  it('TF-04 a second enrolment takes the first factor: nobody replaces it from a session', async () => {
    const { account, authenticator } = await person()
    const { browser } = await signedIn(server, { account, authenticator })
    const csrf =
      browser.page.form('/account/sign-out').fields.find(({ name }) => name === '_csrf')?.value ??
      ''
    for (const path of ['/account/mfa/start', '/account/mfa'])
      await browser.post(path, { _csrf: csrf, code: '123456' })
    const rows = await server.context.database.em
      .fork()
      .find(TotpCredential, { account: account.id })
    expect(rows.map(({ confirmedAt }) => confirmedAt != null)).toEqual([true])
  })

  it('TF-05 turning it off takes a fresh sign-in and a code: one of them is not enough', async () => {
    const { account, authenticator } = await person()
    const { browser } = await signedIn(server, {
      account,
      authenticator,
      path: '/account/mfa/disable',
    })
    const form = browser.page.form('/account/mfa/disable')
    await forgetStep(server, account.id)
    await age(server, account.id, 700)
    expect((await browser.submit(form, { code: await authenticator.code() })).h1).toBe(
      'Confirm it is you',
    )
    expect((await server.context.accounts.findActive(account.id))?.strongest).toBe(2)
  })

  it('TF-06 the state between the factors opens the code page and nothing else', async () => {
    const { account } = await person()
    const app = await relyingParty(server, { firstParty: true })
    const browser = await halfway(account)
    const base = browser.page.url.pathname.replace(/mfa$/, '')
    const csrf = browser.page.form('/mfa').fields.find(({ name }) => name === '_csrf')?.value ?? ''
    const pages = [
      '',
      'profile',
      'email',
      'password',
      'mfa',
      'mfa/disable',
      'recovery-codes',
      'sessions',
      'apps',
      'activity',
      'export',
      'delete',
    ]
    for (const path of pages) {
      const page = await browser.copy().visit(`/account/${path}`)
      expect(`${path}: ${page.h1}`).toBe(`${path}: Sign in`)
      expect(page.text).not.toContain(account.name)
    }
    for (const step of ['consent', 'recovery-codes', 'mfa-enrol', 'select-account', 'verify-email'])
      expect((await browser.copy().visit(base + step)).words).not.toContain(account.name)
    for (const path of [
      'email',
      'password',
      'mfa/start',
      'mfa/disable',
      'recovery-codes',
      'delete',
      'sessions/end-others',
    ])
      await browser.copy().post(`/account/${path}`, {
        _csrf: csrf,
        confirmation: account.email,
        current_password: PASSWORD,
      })
    expect(
      (await browser.copy().visit(app.authorizationUrl({ prompt: 'none' }))).url.searchParams.get(
        'error',
      ),
    ).toBe('login_required')
    expect(await sessionsOf(account)).toEqual([])
    expect(await server.context.accounts.findActive(account.id)).toMatchObject({
      email: account.email,
      strongest: 2,
    })
  })

  it('TF-07 no shape of a missing code is a code', async () => {
    const { account } = await person()
    const bodies = [
      '',
      'code=',
      'code=null',
      'code=undefined',
      'code=%5B%5D',
      'code=%7B%7D',
      'code=%22%22',
      'code[]=1',
      'code=true',
      'code=%00',
      'code=+',
    ]
    for (const body of bodies) {
      await server.context.attempts.clear(
        server.context.database.em.fork(),
        `otp:${account.id}`,
        'otp',
      )
      const browser = await halfway(account)
      const csrf =
        browser.page.form('/mfa').fields.find(({ name }) => name === '_csrf')?.value ?? ''
      const page = await browser.post(browser.page.url, `_csrf=${encodeURIComponent(csrf)}&${body}`)
      expect(`${body}: ${page.status}`).toBe(`${body}: 400`)
    }
    expect(await sessionsOf(account)).toEqual([])
  })

  it('TF-07 a remembered device, prompt=none and a mailed link skip nothing', async () => {
    const { account, authenticator } = await person()
    const { browser } = await signedIn(server, { account, authenticator, remember: true })
    await browser.submit('/account/sign-out')
    await browser.visit('/account')
    expect((await enter(browser, account)).url.pathname).toMatch(/\/mfa$/)
    const app = await relyingParty(server, { firstParty: true })
    const silent = await browser.visit(app.authorizationUrl({ prompt: 'none' }))
    expect(silent.url.searchParams.get('error')).toBe('login_required')
  })

  it('TF-08 a reset changes the password and leaves the second factor: the code is asked for', async () => {
    const { account, authenticator } = await person()
    const browser = newBrowser()
    await browser.visit('/forgot-password')
    await browser.submit('/forgot-password', { email: account.email })
    const code = await server.inbox.code(account.email)
    expect((await browser.submit('/reset-password', { code, password: NEW_PASSWORD })).h1).toBe(
      'Your password is changed',
    )
    const renewed = { ...account, password: NEW_PASSWORD }
    const next = await halfway(renewed)
    expect(await sessionsOf(account)).toEqual([])
    expect((await next.submit('/mfa', { code: await authenticator.code() })).url.pathname).toBe(
      '/account',
    )
  })

  it('RL-06 three tries at one challenge, five failures in a quarter of an hour: the right code comes too late', async () => {
    const { account, authenticator } = await person()
    const browser = await halfway(account)
    for (let attempt = 0; attempt < 3; attempt += 1)
      await browser.submit('/mfa', { code: '000000' })
    expect((await browser.submit('/mfa', { code: await authenticator.code() })).status).toBe(400)
    const next = await halfway(account)
    for (let attempt = 0; attempt < 2; attempt += 1) await next.submit('/mfa', { code: '000000' })
    const third = await halfway(account)
    const late = await third.submit('/mfa', { code: await authenticator.code() })
    expect(late.status).toBe(429)
    expect(Number(late.response.headers.get('retry-after'))).toBeGreaterThan(60)
    expect(await sessionsOf(account)).toEqual([])
  })

  it('RL-08 a right password does not give the code new tries', async () => {
    const { account, authenticator } = await person()
    for (let attempt = 0; attempt < 5; attempt += 1)
      await (await halfway(account)).submit('/mfa', { code: '000000' })
    expect(
      (await (await halfway(account)).submit('/mfa', { code: await authenticator.code() })).status,
    ).toBe(429)
  })

  it('a code of another account, and a challenge from another browser, fail closed', async () => {
    const [ada, eve] = [await person(), await person()]
    const hers = await halfway(ada.account)
    expect((await hers.submit('/mfa', { code: await eve.authenticator.code() })).status).toBe(400)
    expect(
      (await hers.submit('/mfa', { code: eve.authenticator.recoveryCodes[0] ?? '' })).status,
    ).toBe(400)

    const mine = await halfway(eve.account)
    const csrf = mine.page.form('/mfa').fields.find(({ name }) => name === '_csrf')?.value ?? ''
    const code = await ada.authenticator.code()
    expect((await mine.post(hers.page.url, { _csrf: csrf, code })).status).toBe(400)
    expect(await sessionsOf(ada.account)).toEqual([])
    expect(await sessionsOf(eve.account)).toEqual([])
  })

  it('a challenge of one door or purpose answers at no other', async () => {
    const { account, authenticator } = await person()
    const { signIn, secondStep, passwordChange, challenges } = server.context
    const origin = { ip: '192.0.2.1', userAgent: '', requestId: 'r' }
    const outcome = await signIn.withPassword(
      { email: account.email, password: PASSWORD, binding: 'api' },
      origin,
    )
    if (outcome.status !== 'mfa_required') throw new Error(outcome.status)
    const { challenge } = outcome
    const code = await authenticator.code()
    const asPassword = {
      accountId: account.id,
      sessionId: 's',
      email: account.email,
      tokenId: challenge,
      code,
      password: NEW_PASSWORD,
    }
    await expect(
      passwordChange.complete(asPassword, origin, async () => undefined),
    ).rejects.toMatchObject({
      code: 'invalid_code',
    })
    for (const binding of ['interaction:x', 'change_password', 'disable_mfa', ''])
      await expect(
        secondStep.answer({ challenge, binding, code }, origin, async () => undefined),
      ).rejects.toMatchObject({ code: 'invalid_code' })
    const change = await passwordChange.start(account.id, PASSWORD, origin, async () => undefined)
    await expect(
      secondStep.answer(
        { challenge: change.tokenId, binding: 'api', code },
        origin,
        async () => undefined,
      ),
    ).rejects.toMatchObject({
      code: 'invalid_code',
    })
    await expect(challenges.tryOnce(challenge, 'api')).resolves.toMatchObject({
      accountId: account.id,
    })
  })

  it('TF-12 UX-29 the owner is told of a new device, but not of the first nor of a known one', async () => {
    const account = await createAccount(server)
    const { browser: first } = await signedIn(server, { account })
    await first.visit('/account/sessions')
    const news = async () =>
      (await server.inbox.mails(account.email)).filter(({ subject }) =>
        subject.startsWith('New sign-in'),
      )
    await first.visit('/login')
    const again = newBrowser()
    await again.visit('/account')
    await enter(again, account)
    const mail = await server.inbox.next(account.email)
    expect(mail.subject).toMatch(/^New sign-in/)
    expect(mail.text).toContain('Chrome on Linux')
    expect(mail.text).toMatch(/\/report-compromise\?token=/)
    await age(server, account.id, 700)
    await first.visit('/account/email')
    await enter(first, account)
    expect(first.page.url.pathname).toBe('/account/email')
    expect(await news()).toHaveLength(1)
  })

  it('TF-12 UX-29 a used recovery code is told by mail, with the link that says it was somebody else', async () => {
    const { account, authenticator } = await person()
    await server.inbox.next(account.email)
    await (await halfway(account)).submit('/mfa', { code: authenticator.recoveryCodes[3] ?? '' })
    const mail = await server.inbox.next(account.email)
    expect(mail.subject).toMatch(/recovery code was used/)
    expect(mail.text).toMatch(/\/report-compromise\?token=/)
    expect((await sessionsOf(account))[0]).toMatchObject({
      amr: ['pwd'],
      acr: 'urn:gatehouse:acr:1fa',
    })
  })

  it('TF-06 a disabled account gets no further with a right code', async () => {
    const { account, authenticator } = await person()
    const browser = await halfway(account)
    await server.context.database.em
      .fork()
      .nativeUpdate(Account, { id: account.id }, { status: 'disabled' })
    expect((await browser.submit('/mfa', { code: await authenticator.code() })).status).toBe(400)
    expect(await sessionsOf(account)).toEqual([])
  })

  it('TF-13 a right password with a wrong code is on record, for the operator and for the owner', async () => {
    const { account, authenticator } = await person()
    await (await halfway(account)).submit('/mfa', { code: '000000' })
    const { browser } = await signedIn(server, { account, authenticator })
    const failures = async () => {
      const events = await server.context.activity.listForAccount(account.id, { limit: 50 })
      return events.filter(({ type, outcome }) => type === 'second_factor' && outcome === 'failure')
    }
    await eventually(async () => (await failures()).length, 1)
    expect((await failures())[0]).toMatchObject({
      accountId: account.id,
      ip: expect.stringMatching(/^10\.0\./),
    })
    expect(JSON.stringify(await failures())).not.toContain('000000')
    const page = await browser.visit('/account/activity')
    expect(page.words).toContain('Failed')
    expect(page.words).not.toContain('second_factor')
  })
})
