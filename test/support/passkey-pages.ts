import type { Page } from 'playwright-core'
import { arrive } from './arrive.ts'
import type { Chromium } from './chromium.ts'
import { createAccount, type NewAccount } from './factories.ts'
import type { Account } from './people.ts'
import type { TestServer } from './server.ts'
import {
  type AuthenticatorOptions,
  type VirtualAuthenticator,
  virtualAuthenticator,
  withoutAutofill,
} from './virtual-authenticator.ts'

type Server = Pick<TestServer, 'origin' | 'context'>

export interface Visitor {
  readonly page: Page
  readonly person: Account
  readonly authenticator: VirtualAuthenticator
}

/** Somebody with an account, at a page of Chromium that has an authenticator and no autofill. */
export async function visitor(
  server: Server,
  browser: Chromium,
  {
    account,
    autofill = false,
    ...options
  }: AuthenticatorOptions & { readonly account?: NewAccount; readonly autofill?: boolean } = {},
): Promise<Visitor> {
  const page = autofill ? await browser.newPage() : await newPage(browser)
  const person = await createAccount(server, account)
  return { page, person, authenticator: await virtualAuthenticator(page, options) }
}

/** A page that offers no passkey in the address field. */
export async function newPage(browser: Chromium): Promise<Page> {
  const page = await browser.newPage()
  await withoutAutofill(page)
  return page
}

/** Types what the sign-in page asks for, and presses nothing. */
export async function typePassword(
  page: Page,
  { email, password }: Pick<Account, 'email' | 'password'>,
): Promise<void> {
  await page.fill('#username', email)
  await page.fill('#password', password)
}

/**
 * Waits until the page knows whether the device has a screen lock, which it says with its form. The
 * browser answers in the order in which it is asked.
 */
export const knowsDevice = (page: Page): Promise<unknown> =>
  page.evaluate('PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable()')

/** Signs in by password on a page that may offer to make a passkey then. */
export async function signInByPassword(page: Page, person: Account, url: string): Promise<void> {
  await page.goto(url)
  await typePassword(page, person)
  await knowsDevice(page)
  await page.click('#sign-in')
}

/** Opens the account pages, which the passkey of the page signs in to. */
export async function signInByPasskey({ origin }: Server, page: Page): Promise<void> {
  await page.goto(`${origin}/account`)
  await page.click('#passkey')
  await page.waitForURL('**/account')
}

/** Where the page offers to make a passkey. Stays on the page if the device makes none. */
export const pressCreate = (page: Page): Promise<void> =>
  page.getByRole('button', { name: 'Create passkey' }).click()

/** Makes one, and is on the page after that. */
export const createPasskey = (page: Page): Promise<void> => arrive(page, () => pressCreate(page))

/** Goes on from the recovery codes. */
export const keepCodes = (page: Page): Promise<void> =>
  arrive(page, () => page.getByText('I have kept them').click())
