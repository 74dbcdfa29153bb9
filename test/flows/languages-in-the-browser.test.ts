import { describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { Session } from '../../src/entities/index.ts'
import { arrive } from '../support/arrive.ts'
import { chromium } from '../support/chromium.ts'
import { createAccount } from '../support/factories.ts'
import { knowsDevice, signInByPasskey, typePassword } from '../support/passkey-pages.ts'
import { useServer } from '../support/use-server.ts'
import {
  givePasskey,
  virtualAuthenticator,
  withoutAutofill,
} from '../support/virtual-authenticator.ts'
import { translatorOf } from '../ui/languages.ts'

const browser = chromium()
const server = useServer({ signIn: { methods: ['password', 'passkey', 'email-code'] } })

describe.each([
  ['de', 'ltr'],
  ['ar', 'rtl'],
])('in the language of the browser, %s, on a phone', (lang, dir) => {
  const { t } = translatorOf(lang)

  async function phone(): Promise<Page> {
    const page = await browser.newPage({ locale: lang, viewport: { width: 320, height: 640 } })
    await withoutAutofill(page)
    await virtualAuthenticator(page)
    return page
  }

  /** The page with this heading, and nothing of it beside the screen. */
  async function expectPage(page: Page, heading: string): Promise<void> {
    expect(
      await page.evaluate(`({
        heading: document.querySelector('h1').innerText.replace(/\\s+/g, ' '),
        lang: document.documentElement.lang,
        dir: getComputedStyle(document.body).direction,
        width: document.documentElement.scrollWidth,
      })`),
    ).toEqual({ heading, lang, dir, width: 320 })
  }

  const email = `grace.${lang}@example.org`

  it('UX-38 UX-21 signs up with a passkey, and by it later', async () => {
    const page = await phone()
    await page.goto(`${server.origin}/signup`)
    await expectPage(page, t('signUp.title'))
    await page.fill('#name', 'Grace Hopper')
    await page.fill('#email', email)
    await arrive(page, () => page.click('button[name=passkey]'))
    await expectPage(page, t('verifyEmail.title'))
    await page.fill('#code', await server.inbox.code(email))
    await arrive(page, () => page.click('button.primary'))
    await expectPage(page, t('chooseWay.title'))
    await arrive(page, () => page.click('form[data-passkey] button.primary'))
    await expectPage(page, t('recovery.title'))
    expect(await page.locator('#codes li').count()).toBe(10)
    await arrive(page, () => page.click('button.primary'))
    await page.waitForURL('**/account')

    await page.context().clearCookies()
    await signInByPasskey(server, page)
    expect(await page.getAttribute('html', 'lang')).toBe(lang)
  })

  it('UX-38 TF-10 shows a passkey as the second step', async () => {
    const page = await phone()
    const person = await createAccount(server)
    await givePasskey(server, page, person)
    await page.goto(`${server.origin}/account`)
    await expectPage(page, t('login.title'))
    await typePassword(page, person)
    await arrive(page, () => page.click('#sign-in'))
    await expectPage(page, t('mfa.title'))
    await arrive(page, () => page.click('#passkey'))
    await page.waitForURL('**/account')
    const em = server.context.database.em.fork()
    expect((await em.findOneOrFail(Session, { account: person.id })).amr).toContain('mfa')
  })

  it('UX-38 UX-22 signs in by a code to the address, and makes no passkey', async () => {
    const page = await phone()
    const person = await createAccount(server)
    await page.goto(`${server.origin}/account`)
    await page.fill('#username', person.email)
    await arrive(page, () => page.getByRole('button', { name: t('login.sendCode') }).click())
    await expectPage(page, t('verifyEmail.title'))
    await page.fill('#code', await server.inbox.code(person.email))
    await knowsDevice(page)
    await arrive(page, () => page.click('button.primary'))
    await expectPage(page, t('passkeyOffer.title'))
    await page.getByRole('button', { name: t('passkeyOffer.later') }).click()
    await page.waitForURL('**/account')
  })
})
