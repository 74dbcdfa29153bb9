import { describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { Account, PasskeyCredential, Session } from '../../src/entities/index.ts'
import { arrive } from '../support/arrive.ts'
import { chromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount } from '../support/factories.ts'
import { typePassword, visitor as visit } from '../support/passkey-pages.ts'
import type { Account as Person } from '../support/people.ts'
import { startServer } from '../support/server.ts'
import { useServer } from '../support/use-server.ts'
import { type AuthenticatorOptions, givePasskey } from '../support/virtual-authenticator.ts'

const browser = chromium()
const server = useServer()

/** Somebody with a passkey in this browser, who is about to sign in. */
async function visitor(options: AuthenticatorOptions & { readonly autofill?: boolean } = {}) {
  const { page, person, authenticator } = await visit(server, browser, options)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  const passkey = await givePasskey(server, page, person)
  return { page, person, authenticator, passkey, complaints }
}

/** Pages that are opened from now on set `asked` once a passkey is asked for. */
const noteAsked = (page: Page) =>
  page.addInitScript(`{
    const get = navigator.credentials.get.bind(navigator.credentials)
    navigator.credentials.get = (options) => { window.asked = true; return get(options) }
  }`)

const openLogin = (page: Page) => page.goto(`${server.origin}/account`)
const em = () => server.context.database.em.fork()
const sessionOf = ({ id }: Person) => em().findOneOrFail(Session, { account: id })
const summary = (page: Page) => page.locator('.summary').innerText()

describe('a passkey on the sign-in page, in Chromium', () => {
  it('UX-19 is offered in the list of the address field, and signs in with both factors at once', async () => {
    const { page, person, complaints } = await visitor({ autofill: true })
    await openLogin(page)
    await page.waitForURL('**/account')
    const { amr, acr, isRemembered, secondProvedAt } = await sessionOf(person)
    expect({ amr, acr, isRemembered }).toEqual({
      amr: ['pop', 'user', 'mfa'],
      acr: 'urn:gatehouse:acr:2fa',
      isRemembered: false,
    })
    expect(secondProvedAt).not.toBeNull()
    expect(complaints).toEqual([])
  })

  it('UX-19 asks for nothing in a browser that has no autofill of passkeys', async () => {
    const { page } = await visitor()
    await noteAsked(page)
    await openLogin(page)
    await page.evaluate('PublicKeyCredential.isConditionalMediationAvailable()')
    expect(await page.evaluate('window.asked')).toBeUndefined()
  })

  it('UX-20 has a button, which ends what autofill has asked for and is one request only', async () => {
    const { page, authenticator, complaints } = await visitor({ autofill: true })
    await authenticator.setPresent(false)
    await noteAsked(page)
    await openLogin(page)
    await page.waitForFunction('window.asked')
    await authenticator.setPresent(true)
    await page.click('#passkey')
    await page.waitForURL('**/account')
    expect(complaints).toEqual([])
  })

  it('UX-20 comes back quietly when the person cancels, and the password is still there', async () => {
    const { page, person, authenticator } = await visitor()
    await authenticator.setVerified(false)
    await openLogin(page)
    const posts: string[] = []
    page.on('request', (request) => {
      if (request.method() === 'POST') posts.push(request.url())
    })
    await page.click('#passkey')
    await page.getByText('A security key needs a PIN to be used on its own.').waitFor()
    expect(await page.evaluate('document.activeElement.id')).toBe('passkey')
    expect(await page.locator('.summary').count()).toBe(0)
    expect(posts).toEqual([])
    await typePassword(page, person)
    await page.press('#password', 'Enter')
    await page.waitForURL(/\/mfa$/)
  })

  it('SE-04 is remembered if the box is ticked, as with a password', async () => {
    const { page, person } = await visitor()
    await openLogin(page)
    await page.check('#remember')
    await page.click('#passkey')
    await page.waitForURL('**/account')
    expect((await sessionOf(person)).isRemembered).toBe(true)
  })

  it('UX-22 says that a passkey is not known here, and has the browser forget it, and no other', async () => {
    const { page, authenticator, passkey } = await visitor()
    await em().nativeDelete(PasskeyCredential, { id: passkey })
    await openLogin(page)
    await page.click('#passkey')
    await page.waitForSelector('.summary')
    expect(await summary(page)).toContain('no longer accepted here')
    await eventually(async () => (await authenticator.passkeys()).length, 0)
    expect(await page.locator('#password').isVisible()).toBe(true)
  })

  it.each([
    [
      'a disabled account',
      (id: string) => em().nativeUpdate(Account, { id }, { status: 'disabled' }),
    ],
    [
      'an account that somebody has reported',
      (id: string) => em().nativeUpdate(Account, { id }, { mustResetPassword: true }),
    ],
  ])(
    'EN-01 refuses the passkey of %s without a reason, and the browser keeps it',
    async (_, shut) => {
      const { page, authenticator, person } = await visitor()
      await shut(person.id)
      await openLogin(page)
      await page.click('#passkey')
      await page.waitForSelector('.summary')
      expect(await page.locator('[data-signal]').count()).toBe(0)
      await expect(authenticator.passkeys()).resolves.toHaveLength(1)
    },
  )

  it('PK-01 says that a page was open too long, and has a new challenge at once', async () => {
    const { page } = await visitor()
    const challengeOf = `JSON.parse(document.querySelector('form[data-passkey]').dataset.passkey).challenge`
    await openLogin(page)
    const before = await page.evaluate<string>(challengeOf)
    await page.evaluate(
      `document.querySelector('form[data-passkey]').dataset.passkey = document.querySelector('form[data-passkey]').dataset.passkey.replace(/"challenge":"../, '"challenge":"AA')`,
    )
    await page.click('#passkey')
    await page.waitForSelector('.summary')
    expect(await summary(page)).toContain('The page was open too long. Try again.')
    expect(await page.evaluate(challengeOf)).not.toBe(before)
    await page.click('#passkey')
    await page.waitForURL('**/account')
  })

  it('PK-10 signs in while the password of the account is locked out', async () => {
    const { page, person } = await visitor()
    await openLogin(page)
    for (let tries = 0; tries < 12; tries++) {
      await typePassword(page, { ...person, password: 'not the right one' })
      await arrive(page, () => page.click('#sign-in'))
    }
    expect(await summary(page)).toContain('too often')
    await page.click('#passkey')
    await page.waitForURL('**/account')
  })
})

describe('without script', () => {
  it('UX-16 the page is as ever, and nothing of passkeys shows', async () => {
    const page = await browser.newPage({ javaScriptEnabled: false })
    const person = await createAccount(server)
    await openLogin(page)
    expect(await page.locator('#passkey').isVisible()).toBe(false)
    const words = (await page.locator('main').innerText()).toLowerCase()
    // What leads out of it needs no script.
    expect(words.replace('i cannot use my passkey', '')).not.toContain('passkey')
    await typePassword(page, person)
    await page.click('#sign-in')
    await page.waitForURL('**/account')
  })

  it('UX-16 says what is needed where passkeys are the only way', async () => {
    await using only = await startServer({
      config: {
        signIn: {
          methods: ['passkey'],
          secondFactors: ['passkey'],
          requiredLevel: '1fa',
          trustedDeviceDays: 0,
        },
      },
    })
    const needs = 'Use a browser that has them, with JavaScript on.'
    const without = await browser.newPage({ javaScriptEnabled: false })
    await without.goto(`${only.origin}/account`)
    expect(await without.locator('main').innerText()).toContain(needs)
    expect(await without.locator('#password').count()).toBe(0)

    const { page, person } = await visit(only, browser)
    await givePasskey(only, page, person)
    await page.goto(`${only.origin}/account`)
    expect(await page.locator('main').innerText()).not.toContain(needs)
    expect(await page.locator('#username').isVisible()).toBe(true)
    await page.press('#username', 'Enter')
    await page.waitForURL('**/account')
  })
})
