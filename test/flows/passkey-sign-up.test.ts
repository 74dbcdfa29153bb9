import { describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { Account, PasskeyCredential, Session } from '../../src/entities/index.ts'
import { Browser } from '../support/browser.ts'
import { chromium } from '../support/chromium.ts'
import { REDIRECT_URI } from '../support/factories.ts'
import {
  createPasskey,
  keepCodes,
  newPage,
  pressCreate,
  signInByPasskey,
} from '../support/passkey-pages.ts'
import { relyingParty } from '../support/relying-party.ts'
import { useServer } from '../support/use-server.ts'
import { virtualAuthenticator } from '../support/virtual-authenticator.ts'

const browser = chromium()
const server = useServer()

const em = () => server.context.database.em.fork()

/** As far as the page on which the way to sign in is chosen. */
async function signUp(page: Page, email: string): Promise<void> {
  await page.goto(`${server.origin}/signup`)
  await page.fill('#name', 'Ada Lovelace')
  await page.fill('#email', email)
  await page.getByRole('button', { name: 'Use a passkey instead of a password' }).click()
  await page.waitForURL('**/verify-email')
  expect(await em().count(Account, { email })).toBe(0)
  await page.fill('#code', await server.inbox.code(email))
  await page.click('button.primary')
  await page.waitForURL('**/passkey-offer')
}

describe('signing up with a passkey, in Chromium', () => {
  it('UX-21 UX-37 a whole life without a password: sign-up, a second device, an app that demands phr, deletion', async () => {
    const email = 'whole.life@example.org'
    const page = await newPage(browser)
    const phone = await virtualAuthenticator(page, { isSynced: true })
    await signUp(page, email)
    await createPasskey(page)
    await keepCodes(page)
    await page.waitForURL('**/account')
    const { id, passwordHash } = await em().findOneOrFail(
      Account,
      { email },
      { populate: ['passwordHash'] },
    )
    expect(passwordHash).toBeNull()
    expect((await em().findOneOrFail(Session, { account: id })).amr).toEqual(['pop', 'user', 'mfa'])

    const second = await newPage(browser)
    const laptop = await virtualAuthenticator(second, { isSynced: true })
    for (const passkey of await phone.passkeys()) await laptop.add(passkey)
    await signInByPasskey(server, second)

    const app = await relyingParty(server, { requireAcr: 'phr', firstParty: true })
    // A tab of its own: what fails to load where the app would be interrupts nothing.
    const tab = await second.context().newPage()
    const answered = tab.waitForRequest(`${REDIRECT_URI}?**`)
    await tab.goto(app.authorizationUrl({ acr_values: 'phr' }).href).catch(() => undefined)
    const { claims } = await app.redeem((await answered).url())
    expect(claims()).toMatchObject({ sub: id, acr: 'phr', amr: ['pop', 'user', 'mfa'] })

    await second.goto(`${server.origin}/account/delete`)
    await second.fill('#confirmation', email)
    await second.click('button.danger')
    await second.getByText('Your account will be deleted').first().waitFor()
    expect((await em().findOneOrFail(Account, { id })).status).toBe('deleting')
  })

  it('EM-11 makes none before the address is proven, and chooses again where making it fails', async () => {
    const email = 'no.lock@example.org'
    const page = await newPage(browser)
    const authenticator = await virtualAuthenticator(page)
    await signUp(page, email)
    await authenticator.setVerified(false)
    await pressCreate(page)
    await page.getByText('No passkey was made.').waitFor()
    expect(await em().count(PasskeyCredential, { account: { email } })).toBe(0)
    expect(await em().count(Session, { account: { email } })).toBe(0)
    await page.getByRole('link', { name: 'Choose a password' }).click()
    await page.waitForURL('**/forgot-password**')
    await page.goBack()
    await authenticator.setVerified(true)
    await createPasskey(page)
    await keepCodes(page)
    await page.waitForURL('**/account')
  })

  it('EM-11 the mailed link proves the address, and leads on to a way in where no passkey was made', async () => {
    const email = 'by.link@example.org'
    const person = new Browser(server.origin)
    await person.visit('/signup')
    await person.submit('/sign-up', { name: 'Ada', email }, { button: 'yes' })
    await person.visit(await server.inbox.link(email))
    const { h1, links } = await person.submit('/verify-email')
    expect(h1).toBe('Your address is confirmed')
    expect(links.map(({ pathname }) => pathname)).toContain('/recover')
    expect((await em().findOneOrFail(Account, { email })).status).toBe('active')
  })

  it('UX-37 who loses every device comes back by mailbox and recovery code, and makes another passkey', async () => {
    const email = 'lost.it@example.org'
    const [page, second] = [await newPage(browser), await newPage(browser)]
    const lost = await virtualAuthenticator(page, { isSynced: true })
    await signUp(page, email)
    await createPasskey(page)
    const code = await page.locator('#codes li').first().innerText()
    await keepCodes(page)
    await page.waitForURL('**/account')

    await second.goto(`${server.origin}/account`)
    await second.click('a[href^="/recover"]')
    await second.fill('#email', email)
    await second.click('button.primary')
    await second.fill('#code', await server.inbox.code(email))
    await second.click('button.primary')
    await second.waitForURL('**/recover/next')
    await second.fill('#code', code)
    await second.click('button.primary')
    await second.waitForURL('**/recover/new')
    const found = await virtualAuthenticator(second, { isSynced: true })
    await createPasskey(second)
    expect(await second.locator('#codes li').allInnerTexts()).not.toContain(code)
    await page.goto(`${server.origin}/account`)
    expect(await page.locator('h1').innerText()).toBe('Sign in')

    await second.click('a.primary')
    await second.click('#passkey')
    await second.waitForURL('**/account')
    expect([(await lost.passkeys()).length, (await found.passkeys()).length]).toEqual([1, 1])
    const tried = page.waitForResponse((response) => response.request().method() === 'POST')
    await page.click('#passkey')
    await (await tried).finished()
    expect(await em().count(Session, { account: { email } })).toBe(1)
  })
})
