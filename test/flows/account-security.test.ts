import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { sha256 } from '../../src/crypto/token.ts'
import { Account, AttemptCounter, TotpCredential } from '../../src/entities/index.ts'
import { Browser, type Page } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { codeOf, enableMfa, enter, forgetStep, signedIn } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const NEW_PASSWORD = 'twelve quiet otters sail home'

describe('changing how one signs in, by a person without JavaScript', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())
  const load = (id: string) => server.context.database.em.fork().findOneOrFail(Account, { id })
  const isSignedOut = async (browser: Browser) =>
    (await browser.visit('/account')).forms[0]?.action.pathname.endsWith('/login')

  it('EM-10 UX-29 changes the address by a code to the new one, and the old one can undo it for 72 hours', async () => {
    const { browser, account } = await signedIn(server, { path: '/account/email' })
    const next = `countess.${account.id.slice(0, 6)}@example.net`
    const confirm = await browser.submit('/account/email', { email: next.toUpperCase() })
    expect(confirm.url.pathname).toBe('/account/email/confirm')
    expect(confirm.words).toContain(next)
    expect((await load(account.id)).email).toBe(account.email)

    const done = await browser.submit('/account/email/confirm', {
      code: await server.inbox.code(next),
    })
    expect(done.words).toContain('Your e-mail address is changed.')
    expect(await load(account.id)).toMatchObject({ email: next })

    const undo = await server.inbox.link(account.email, '/undo-email')
    const owner = new Browser(server.origin)
    expect((await owner.visit(undo)).words).toContain(account.email)
    expect((await owner.submit('/undo-email')).h1).toBe('Your address is restored')
    expect(await load(account.id)).toMatchObject({ email: account.email, mustResetPassword: true })
    expect(await isSignedOut(browser)).toBe(true)
    expect((await enter(browser, account)).status).toBe(401)
  })

  it('EM-10 EN-01 a taken address answers like a free one, gets no code, and stays its owner’s', async () => {
    const owner = await createAccount(server)
    const { browser, account } = await signedIn(server, { path: '/account/email' })
    const taken = await browser.submit('/account/email', { email: owner.email })
    expect(taken.url.pathname).toBe('/account/email/confirm')
    const shape = (text: string) =>
      text
        .replaceAll(owner.email, 'ADDRESS')
        .replaceAll('free@example.net', 'ADDRESS')
        .replace(/nonce="[^"]+"/, '')
    const first = shape(taken.text)
    await browser.visit('/account/email')
    expect(
      shape((await browser.submit('/account/email', { email: 'free@example.net' })).text),
    ).toBe(first)
    expect(await server.inbox.mails(owner.email)).toEqual([])
    for (const code of ['000000', '123456'])
      expect((await browser.submit('/account/email/confirm', { code })).status).toBe(400)
    expect((await load(account.id)).email).toBe(account.email)
  })

  it('EM-10 of two people who confirm one address, one gets it', async () => {
    const address = 'wanted@example.net'
    const people = [
      await signedIn(server, { path: '/account/email' }),
      await signedIn(server, { path: '/account/email' }),
    ]
    const codes: string[] = []
    for (const { browser } of people) {
      await browser.submit('/account/email', { email: address })
      codes.push(await server.inbox.code(address))
    }
    const answers = await Promise.all(
      people.map(({ browser }, index) =>
        browser.submit('/account/email/confirm', { code: codes[index] ?? '' }),
      ),
    )
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 400])
    expect(await server.context.database.em.fork().count(Account, { email: address })).toBe(1)
  })

  it('EM-09 no field of a form makes an address count as proven', async () => {
    const { browser, account } = await signedIn(server, { path: '/account/profile' })
    await server.context.database.em
      .fork()
      .nativeUpdate(Account, { id: account.id }, { emailVerifiedAt: null })
    const csrf =
      browser.page.form('/account/profile').fields.find(({ name }) => name === '_csrf')?.value ?? ''
    const forged = {
      email_verified: 'true',
      emailVerified: 'true',
      email_verified_at: '2020-01-01',
      verified: '1',
      email: 'x@example.org',
      id: 'x',
    }
    const page = await browser.post('/account/profile', {
      _csrf: csrf,
      name: 'Ada',
      image_url: '',
      phone_number: '',
      locale: '',
      ...forged,
    })
    expect(page.status).toBe(200)
    expect(await load(account.id)).toMatchObject({
      email: account.email,
      emailVerifiedAt: null,
      name: 'Ada',
    })
  })

  it('PW-09 PW-10 changes the password by the current one and a mailed code; other sessions and tokens end, this one stays', async () => {
    const { browser, account } = await signedIn(server, { path: '/account/password' })
    const { browser: other } = await signedIn(server, { account })
    const app = await relyingParty(server, { firstParty: true })
    const tokens = await app.redeem(
      (await other.visit(app.authorizationUrl({ scope: 'openid' }))).url,
    )
    await new Browser(server.origin).visit('/forgot-password')
    await server.context.passwordReset.request(account.email, {
      ip: '192.0.2.1',
      userAgent: '',
      requestId: 'r',
    })
    const reset = await server.inbox.link(account.email, '/reset-password')

    const wrong = await browser.submit('/account/password', {
      current_password: 'wrong wrong wrong',
    })
    expect(wrong.status).toBe(401)
    expect(wrong.text).toContain('id="current_password-error"')
    const step = await browser.submit('/account/password', { current_password: PASSWORD })
    expect(step.url.pathname).toBe('/account/password/confirm')
    // Nothing came: asking for another code proves the current password once more (UX-26).
    expect(step.words).toContain('ask for a new code')
    expect(step.links.map(({ pathname }) => pathname)).toContain('/account/password')
    const code = await server.inbox.code(account.email)
    const weak = await browser.submit('/account/password/confirm', { code, password: 'short' })
    expect(weak.status).toBe(400)
    expect(weak.words).toContain('Use at least 15 characters.')
    const done = await browser.submit('/account/password/confirm', { code, password: NEW_PASSWORD })
    expect(done.words).toContain('Your password is changed. All other devices are signed out.')

    expect(await isSignedOut(other)).toBe(true)
    expect((await browser.visit('/account')).words).toContain(account.email)
    await expect(app.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    expect((await browser.visit(reset)).status).toBe(400)
    expect((await enter(other, account)).status).toBe(401)
    expect((await enter(other, { ...account, password: NEW_PASSWORD })).status).toBe(200)
    expect((await server.inbox.next(account.email)).subject).toMatch(/password was changed/)
  })

  it('PW-09 with two-step sign-in on, the second proof is a code of the authenticator', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const { browser } = await signedIn(server, {
      account,
      authenticator,
      path: '/account/password',
    })
    await forgetStep(server, account.id)
    await browser.submit('/account/password', { current_password: PASSWORD })
    expect(browser.page.words).toContain('Enter the code from your authenticator app')
    const refused = await browser.submit('/account/password/confirm', {
      code: '000000',
      password: NEW_PASSWORD,
    })
    expect(refused.status).toBe(400)
    const done = await browser.submit('/account/password/confirm', {
      code: await authenticator.code(),
      password: NEW_PASSWORD,
    })
    expect(done.words).toContain('Your password is changed.')
    expect((await load(account.id)).mfaEnabled).toBe(true)
  })

  it('TF-04 UX-23 enrols with a QR code, the key in groups of four, and one code; before it nothing is on', async () => {
    const { browser, account } = await signedIn(server, { path: '/account/mfa' })
    expect(
      await server.context.database.em.fork().count(TotpCredential, { account: account.id }),
    ).toBe(0)
    const page = await browser.submit('/account/mfa/start')
    expect(page.url.pathname).toBe('/account/mfa')
    expect(page.text).toMatch(/<svg[^>]*role="img"/)
    expect(page.text).toContain('<title')
    const shown = /<code class="secret"[^>]*>([A-Z2-7 ]+)</.exec(page.text)?.[1] ?? ''
    expect(shown).toMatch(/^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/)
    const secret = shown.replaceAll(' ', '')
    expect((await browser.visit('/account/mfa')).text).toContain(shown)

    await signedIn(server, { account })
    const wrong = await browser.submit('/account/mfa', { code: '000000' })
    expect(wrong.status).toBe(400)
    expect(wrong.text).toContain(shown)
    expect((await load(account.id)).mfaEnabled).toBe(false)

    const code = await codeOf(secret)
    const codes = await browser.submit('/account/mfa', {
      code: `${code.slice(0, 3)} ${code.slice(3)}`,
    })
    expect(codes.status).toBe(200)
    expect(codes.text.match(/<li>[0-9A-Z]{4}(-[0-9A-Z]{4}){3}<\/li>/g)).toHaveLength(10)
    expect(codes.text).toContain('download="recovery-codes.txt"')
    expect(codes.response.headers.get('cache-control')).toBe('no-store')
    expect((await browser.visit('/account/recovery-codes')).text).not.toMatch(/<li>[0-9A-Z]{4}-/)
    expect(browser.page.words).toContain('10 left')
    expect((await server.inbox.next(account.email)).subject).toMatch(/Two-step sign-in is on/)

    const next = new Browser(server.origin)
    await next.visit('/account')
    expect((await enter(next, account)).url.pathname).toMatch(/\/mfa$/)
  })

  it('TF-04 a set-up begun in another tab is named by the older one, whose code costs no try', async () => {
    const { browser, account } = await signedIn(server, { path: '/account/mfa' })
    const secretOf = (page: Page) =>
      (/<code class="secret"[^>]*>([A-Z2-7 ]+)</.exec(page.text)?.[1] ?? '').replaceAll(' ', '')
    const first = await browser.submit('/account/mfa/start')
    const other = browser.copy()
    const csrf = first.form('/account/mfa').fields.find(({ name }) => name === '_csrf')?.value ?? ''
    const second = await other.post('/account/mfa/start', { _csrf: csrf })
    expect(secretOf(second)).not.toBe(secretOf(first))

    for (const code of [
      await codeOf(secretOf(first)),
      await codeOf(secretOf(second)),
      '000000',
      '',
    ]) {
      const refused = await browser.submit(first.form('/account/mfa'), { code })
      expect(`${code} ${refused.words}`).toContain('A newer set-up was begun in another tab')
      expect(secretOf(refused)).toBe(secretOf(second))
    }
    expect((await load(account.id)).mfaEnabled).toBe(false)
    const tries = () =>
      server.context.database.em
        .fork()
        .count(AttemptCounter, { subject: sha256(`otp:${account.id}`), factor: 'otp' })
    expect(await tries()).toBe(0)
    await browser.submit('/account/mfa', { code: '000000' })
    expect(await tries()).toBe(1)

    await browser.submit('/account/mfa', { code: await codeOf(secretOf(second)) })
    expect((await load(account.id)).mfaEnabled).toBe(true)
  })

  it('UX-15 the back button after enrolment shows neither an error nor the codes again', async () => {
    const { browser } = await signedIn(server, { path: '/account/mfa' })
    const page = await browser.submit('/account/mfa/start')
    const secret = (
      /<code class="secret"[^>]*>([A-Z2-7 ]+)</.exec(page.text)?.[1] ?? ''
    ).replaceAll(' ', '')
    const form = page.form('/account/mfa')
    await browser.submit(form, { code: await codeOf(secret) })
    const again = await browser.submit(form, { code: await codeOf(secret) })
    expect(again.url.pathname).toBe('/account')
    expect((await browser.visit('/account/mfa')).url.pathname).toBe('/account')
  })

  it('TF-05 TF-12 turning it off takes a code of the factor; the owner is told', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const { browser } = await signedIn(server, {
      account,
      authenticator,
      path: '/account/mfa/disable',
    })
    for (const code of ['', '000000', PASSWORD])
      expect((await browser.submit('/account/mfa/disable', { code })).status).toBe(400)
    expect((await load(account.id)).mfaEnabled).toBe(true)
    const off = await browser.submit('/account/mfa/disable', {
      code: authenticator.recoveryCodes[0] ?? '',
    })
    expect(off.words).toContain('Two-step sign-in is off.')
    expect(await load(account.id)).toMatchObject({ mfaEnabled: false })
    const subjects = (await server.inbox.mails(account.email)).map(({ subject }) => subject)
    await server.inbox.next(account.email)
    expect(subjects.join()).toContain('Two-step sign-in is on')
    expect((await signedIn(server, { account })).browser.page.words).toContain(account.email)
  })

  it('TF-09 UX-24 new recovery codes void the old ones, and each signs in once', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const { browser } = await signedIn(server, {
      account,
      authenticator,
      path: '/account/recovery-codes',
    })
    const page = await browser.submit('/account/recovery-codes')
    const fresh = [...page.text.matchAll(/<li>([0-9A-Z-]{19})<\/li>/g)].map(([, code = '']) => code)
    expect(fresh).toHaveLength(10)
    expect(page.words).toContain('New recovery codes are made.')

    const next = new Browser(server.origin)
    await next.visit('/account')
    await enter(next, account)
    await next.follow(next.page.links.find(({ search }) => search === '?method=recovery') ?? '')
    expect((await next.submit('/mfa', { code: authenticator.recoveryCodes[0] ?? '' })).status).toBe(
      400,
    )
    expect(
      (
        await next.submit('/mfa', {
          code: ` ${(fresh[0] ?? '').toLowerCase().replaceAll('-', ' ')}`,
        })
      ).url.pathname,
    ).toBe('/account')
    const left = await next.visit('/account/recovery-codes')
    expect(left.words).toContain('9 of 10 left')
    expect(left.text.match(/<s /g)).toHaveLength(1)
    expect(left.words).toContain('Used just now')

    const third = new Browser(server.origin)
    await third.visit('/account')
    await enter(third, account)
    expect((await third.submit('/mfa', { code: fresh[0] ?? '' })).status).toBe(400)
  })
})
