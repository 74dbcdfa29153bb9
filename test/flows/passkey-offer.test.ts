import { describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { KnownDevice, PasskeyCredential, Session } from '../../src/entities/index.ts'
import { chromium } from '../support/chromium.ts'
import { type NewClient, PASSWORD, REDIRECT_URI } from '../support/factories.ts'
import {
  createPasskey,
  keepCodes,
  knowsDevice,
  signInByPassword,
  visitor as visit,
} from '../support/passkey-pages.ts'
import { type Account, age, enableMfa } from '../support/people.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { useServer } from '../support/use-server.ts'
import {
  type AuthenticatorOptions,
  givePasskey,
  virtualAuthenticator,
} from '../support/virtual-authenticator.ts'

const browser = chromium()
const server = useServer()

const em = () => server.context.database.em.fork()

const visitor = (options?: AuthenticatorOptions) => visit(server, browser, options)

async function enter(page: Page, person: Account, at = `${server.origin}/account`) {
  await signInByPassword(page, person, at)
}

async function signOut(page: Page): Promise<void> {
  await page.goto(`${server.origin}/account`)
  await page.click('form[action="/account/sign-out"] button')
  await page.waitForURL('**/signed-out')
}

describe('the offer of a passkey after a sign-in, in Chromium', () => {
  it('UX-22 comes once; "not now" goes on, and is remembered on this device for 90 days', async () => {
    const { page, person } = await visitor()
    await enter(page, person)
    await page.waitForURL('**/passkey-offer')
    await page.getByRole('button', { name: 'Not now' }).click()
    await page.waitForURL('**/account')

    await signOut(page)
    await enter(page, person)
    await page.waitForURL('**/account')

    await signOut(page)
    const long = new Date(Date.now() - 91 * 86_400_000)
    await em().nativeUpdate(KnownDevice, { account: person.id }, { passkeyDeclinedAt: long })
    await enter(page, person)
    await page.waitForURL('**/passkey-offer')
  })

  it('UX-22 makes one, shows the recovery codes, and the sign-in has shown it', async () => {
    const { page, person } = await visitor()
    await enter(page, person)
    await page.waitForURL('**/passkey-offer')
    await createPasskey(page)
    await keepCodes(page)
    await page.waitForURL('**/account')
    expect((await em().findOneOrFail(Session, { account: person.id })).amr).toEqual([
      'pwd',
      'pop',
      'user',
      'mfa',
    ])
    expect(await em().count(PasskeyCredential, { account: person.id })).toBe(1)
  })

  it('UX-22 is not made where the browser has no lock of its own, nor to who confirms who they are', async () => {
    const { page, person } = await visitor({ transport: 'usb' })
    await enter(page, person)
    await page.waitForURL('**/account')
    await virtualAuthenticator(page)
    await age(server, person.id, 700)
    await page.goto(`${server.origin}/account/email`)
    await page.fill('#password', PASSWORD)
    await knowsDevice(page)
    await page.click('#sign-in')
    await page.waitForURL('**/account/email')
  })
})

describe('an app that demands a passkey, in Chromium', () => {
  const SECURE = { requireAcr: 'phr', firstParty: true } as const satisfies NewClient

  /** Where the app is answered. */
  async function atApp(page: Page, app: RelyingParty): Promise<() => Promise<URL>> {
    await page.route(`${REDIRECT_URI}**`, (route) => route.fulfill({ body: 'app' }))
    return async () => {
      await page.waitForURL(`${app.redirectUri}**`)
      return new URL(page.url())
    }
  }

  it('TF-11 has somebody without one make it, and gets phr', async () => {
    const { page, person } = await visitor()
    const app = await relyingParty(server, SECURE)
    const answered = await atApp(page, app)
    await enter(page, person, app.authorizationUrl({ acr_values: 'phr' }).href)
    await page.waitForURL('**/passkey-offer')
    expect(await page.locator('h1').innerText()).toBe('A passkey is needed')
    expect(await page.getByRole('button', { name: 'Not now' }).count()).toBe(0)
    await createPasskey(page)
    await keepCodes(page)
    const { claims } = await app.redeem(await answered())
    expect(claims()).toMatchObject({ acr: 'phr', amr: ['pwd', 'pop', 'user', 'mfa'] })
  })

  it('TF-11 is told if the person makes none', async () => {
    const { page, person } = await visitor()
    const app = await relyingParty(server, SECURE)
    const answered = await atApp(page, app)
    await enter(page, person, app.authorizationUrl().href)
    await page.waitForURL('**/passkey-offer')
    await page.click('#leave')
    expect((await answered()).searchParams.get('error')).toBe('unmet_authentication_requirements')
    expect(await em().count(PasskeyCredential, { account: person.id })).toBe(0)
  })

  it('PK-06 lets nobody add another to an account that has one, by password and code', async () => {
    const { page, person } = await visitor()
    await givePasskey(server, page, person)
    const authenticator = await enableMfa(server, person)
    const app = await relyingParty(server, SECURE)
    const answered = await atApp(page, app)
    await enter(page, person, app.authorizationUrl().href)
    await page.waitForURL('**/mfa')
    // The page asks for no code, because none reaches what the app demands: it is sent all the same.
    await page.goto(`${page.url()}?method=totp`)
    expect(await page.locator('#code').count()).toBe(0)
    const code = JSON.stringify(await authenticator.code())
    await page.evaluate(`{
      const field = document.querySelector('[name=credential]')
      Object.assign(field, { name: 'code', value: ${code} }).form.submit()
    }`)
    expect((await answered()).searchParams.get('error')).toBe('unmet_authentication_requirements')
    expect(await em().count(PasskeyCredential, { account: person.id })).toBe(1)
  })
})
