import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser, type Page } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { enableMfa, forgetStep, signedIn } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const NEW_PASSWORD = 'ember quilt nine lantern'
const LONG = 'seven quiet lanterns over the old harbour wall '.repeat(7)
const TOO_LONG = 'A password has at most 256 characters. This is longer.'
const SPACES = 'An e-mail address has no spaces. Take them out.'

const fieldOf = (page: Page, name: string): { value?: string; isWrong: boolean } => {
  const field = page.forms.flatMap(({ fields }) => fields).find((each) => each.name === name)
  if (!field) throw new Error(`no field ${name} at ${page.url.pathname}`)
  return { value: field.value, isWrong: field.attributes['aria-invalid'] === 'true' }
}
const wrongFields = (page: Page): string[] =>
  page.forms.flatMap(({ fields }) =>
    fields
      .filter(({ attributes }) => attributes['aria-invalid'] === 'true')
      .map(({ name }) => name),
  )

async function open(path: string): Promise<Browser> {
  const browser = new Browser(server.origin)
  await browser.visit(path)
  return browser
}

describe('UX-11 UX-10 a form says all that is wrong with it and keeps what is right', () => {
  it('sign-up: every field at once, name and address kept, the password not', async () => {
    const browser = await open('/signup')
    const empty = await browser.submit('/sign-up', {})
    expect([empty.status, wrongFields(empty)]).toEqual([400, ['name', 'email', 'password']])
    const page = await browser.submit('/sign-up', {
      name: 'See http://evil.example',
      email: 'ada @example.org',
      password: 'short',
    })
    expect([page.status, wrongFields(page)]).toEqual([400, ['name', 'email', 'password']])
    for (const sentence of [SPACES, 'Use at least 15 characters.', 'without links'])
      expect(page.words).toContain(sentence)
    expect([fieldOf(page, 'name').value, fieldOf(page, 'email').value]).toEqual([
      'See http://evil.example',
      'ada @example.org',
    ])
    expect(fieldOf(page, 'password').value).toBe('')
  })

  it('sign-in: an empty form is no attempt, and keeps "remember this device"', async () => {
    const browser = await open('/login')
    const empty = await browser.submit('/login', { remember: true })
    expect([empty.status, wrongFields(empty)]).toEqual([400, ['username', 'password']])
    expect(empty.words).toContain('Fill in this field.')
    expect(empty.form('/login').fields.find(({ name }) => name === 'remember')?.checked).toBe(true)
    const spaced = await browser.submit('/login', {
      username: 'ada@ example.org',
      password: PASSWORD,
    })
    expect([wrongFields(spaced), fieldOf(spaced, 'username').value]).toEqual([
      ['username'],
      'ada@ example.org',
    ])
    expect(spaced.words).toContain(SPACES)
  })

  it('PW-02 a password that was pasted with more than 256 characters is called too long wherever one is typed', async () => {
    const account = await createAccount(server)
    const login = await (await open('/login')).submit('/login', {
      username: account.email,
      password: LONG,
    })
    const signUp = await (await open('/signup')).submit('/sign-up', {
      name: 'Ada',
      email: 'ada@example.net',
      password: LONG,
    })
    const { browser } = await signedIn(server, { account, path: '/account/password' })
    const current = await browser.submit('/account/password', { current_password: LONG })
    await browser.submit('/account/password', { current_password: PASSWORD })
    const code = await server.inbox.code(account.email)
    const changed = await browser.submit('/account/password/confirm', { code, password: LONG })
    for (const page of [login, signUp, current, changed]) {
      expect(page.status).toBe(400)
      expect(page.words).toContain(TOO_LONG)
    }
    expect(fieldOf(changed, 'code')).toEqual({ value: code, isWrong: false })
    expect(
      (await browser.submit('/account/password/confirm', { password: NEW_PASSWORD })).words,
    ).toContain('Your password is changed.')
  })

  it('reset: code and password together, and a code that is right stays in its field', async () => {
    const account = await createAccount(server)
    const browser = await open('/forgot-password')
    const spaced = await browser.submit('/forgot-password', {
      email: account.email.replace('@', ' @'),
    })
    expect(spaced.words).toContain(SPACES)
    await browser.submit('/forgot-password', { email: account.email })
    const code = await server.inbox.code(account.email)
    // What cannot be a code is no try of the five.
    for (let index = 0; index < 6; index++) {
      const both = await browser.submit('/reset-password', { code: '12 34', password: 'short' })
      expect([both.status, wrongFields(both)]).toEqual([400, ['code', 'password']])
    }
    const weak = await browser.submit('/reset-password', { code, password: 'short' })
    expect([wrongFields(weak), fieldOf(weak, 'code').value]).toEqual([['password'], code])
    const persian = [...code].map((digit) => String.fromCodePoint(0x6f0 + Number(digit))).join('')
    const done = await browser.submit('/reset-password', {
      code: `\u2067${persian}\u2069`,
      password: NEW_PASSWORD,
    })
    expect(done.h1).toBe('Your password is changed')
  })

  it('two-step sign-in: a wrong code keeps the choice to remember the device', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    await forgetStep(server, account.id)
    const browser = await open('/login')
    await browser.submit('/login', { username: account.email, password: PASSWORD })
    const wrong = await browser.submit('/mfa', { code: '', remember: true })
    expect([wrong.status, wrongFields(wrong)]).toEqual([400, ['code']])
    expect(wrong.form('/mfa').fields.find(({ name }) => name === 'remember')?.checked).toBe(true)
    expect((await browser.submit('/mfa', { code: await authenticator.code() })).url.pathname).toBe(
      '/account',
    )
  })

  it('deletion and a new address: what was typed is there to be mended', async () => {
    const { browser, account } = await signedIn(server, { path: '/account/delete' })
    const wrong = await browser.submit('/account/delete', { confirmation: `${account.email}x` })
    expect(fieldOf(wrong, 'confirmation')).toEqual({ value: `${account.email}x`, isWrong: true })
    await browser.visit('/account/email')
    const spaced = await browser.submit('/account/email', { email: 'new address@example.org' })
    expect([spaced.words.includes(SPACES), fieldOf(spaced, 'email').value]).toEqual([
      true,
      'new address@example.org',
    ])
  })
})
