import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { chromium } from '../support/chromium.ts'
import { allowBefore, createAccount, type NewClient, PASSWORD } from '../support/factories.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** An app on loopback that remembers where it was called back. */
class App implements AsyncDisposable {
  readonly rp: RelyingParty
  readonly callback: Promise<URL>
  readonly #http: Server

  static async start(server: TestServer, client: NewClient = {}): Promise<App> {
    const http = createServer()
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const redirectUri = `http://127.0.0.1:${(http.address() as AddressInfo).port}/callback`
    const rp = await relyingParty(server, { ...client, redirectUris: [redirectUri] })
    return new App(http, rp)
  }

  private constructor(http: Server, rp: RelyingParty) {
    this.#http = http
    this.rp = rp
    this.callback = new Promise((resolve) => {
      http.on('request', (request, response) => {
        if (request.url?.startsWith('/callback')) resolve(new URL(request.url, rp.redirectUri))
        response
          .setHeader('Content-Type', 'text/html')
          .end('<!doctype html><link rel="icon" href="data:,"><h1>Back in the app</h1>')
      })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }
}

async function signIn(page: Page, email: string): Promise<void> {
  await page.getByLabel('E-mail address').fill(email)
  await page.locator('input[type=password]').fill(PASSWORD)
  await page.keyboard.press('Enter')
}

describe.each([{ javaScriptEnabled: true }, { javaScriptEnabled: false }])(
  'a person in Chromium, %o',
  (options) => {
    const browser = chromium()
    let server: TestServer
    beforeAll(async () => {
      server = await startServer()
    })
    afterAll(() => server.stop())

    it('EM-06 UX-28 a mailed link sets a new password, and with JavaScript its secret leaves the address', async () => {
      const account = await createAccount(server)
      const page = await browser.newPage(options)
      await page.goto(`${server.origin}/forgot-password`)
      await page.fill('#email', account.email)
      await page.keyboard.press('Enter')
      await page.waitForURL('**/reset-password')
      const link = await server.inbox.link(account.email, '/reset-password')
      await page.goto(link.href)
      expect(new URL(page.url()).searchParams.has('token')).toBe(!options.javaScriptEnabled)
      await page.fill('#password', 'twelve quiet otters sail home')
      await page.keyboard.press('Enter')
      await page.waitForSelector('h1:text("Your password is changed")')
    })

    it('UX-16 WB-04 signs up, types the mailed code, allows the app and is back in it', async () => {
      await using app = await App.start(server, { name: 'Plant Diary' })
      const page = await browser.newPage(options)
      await page.goto(app.rp.authorizationUrl({ scope: 'openid email' }).href)
      await page.getByRole('link', { name: 'Create an account' }).click()
      const email = `grace.${options.javaScriptEnabled}@example.org`
      await page.getByLabel('Name').fill('Grace Hopper')
      await page.getByLabel('E-mail address').fill(email)
      await page.locator('input[type=password]').fill(PASSWORD)
      await page.locator('form button[type=submit], form button:not([type])').first().click()
      await page.waitForURL(/verify-email/)
      await page.locator('input[autocomplete=one-time-code]').fill(await server.inbox.code(email))
      await page.keyboard.press('Enter')
      await page.locator('form[action$="/consent"]').waitFor()
      expect(await page.locator('main').innerText()).toContain('Plant Diary')
      await page.getByRole('button', { name: 'Allow', exact: true }).click()
      const tokens = await app.rp.redeem(await app.callback)
      expect(await app.rp.userinfo(tokens.access_token)).toMatchObject({
        email,
        email_verified: true,
      })
      await page.context().close()
    })

    it('UX-40 signs in by keyboard alone, in the order of the page, with no browser console error', async () => {
      const account = await createAccount(server)
      await using app = await App.start(server)
      await allowBefore(server, account, app.rp.clientId)
      const page = await browser.newPage(options)
      const complaints: string[] = []
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
      await page.goto(app.rp.authorizationUrl().href)
      await page.locator('#username:focus').waitFor()
      await page.keyboard.type(account.email)
      await page.keyboard.press('Tab')
      await page.keyboard.type(PASSWORD)
      await page.keyboard.press('Enter')
      const tokens = await app.rp.redeem(await app.callback)
      expect(tokens.claims()?.sub).toBe(account.id)
      expect(complaints).toEqual([])
      await page.context().close()
    })

    it('UX-15 survives the back button and a second submit of a finished sign-in without an error of ours', async () => {
      const account = await createAccount(server)
      await using app = await App.start(server)
      await allowBefore(server, account, app.rp.clientId)
      const page = await browser.newPage(options)
      const statuses: number[] = []
      page.on(
        'response',
        (response) => response.url().startsWith(server.origin) && statuses.push(response.status()),
      )
      await page.goto(app.rp.authorizationUrl().href)
      await signIn(page, account.email)
      await app.callback
      await page.waitForURL(`${app.rp.redirectUri}?*`)
      await page.goBack()
      const password = page.locator('input[type=password]')
      // Whether the browser still has the form, or asks for it again and is told that it is over,
      // is up to it.
      if ((await password.count()) > 0) {
        await password.fill(PASSWORD)
        await password.press('Enter')
        await page.waitForLoadState()
      }
      await page.locator('h1').waitFor()
      expect(statuses.filter((status) => status >= 500)).toEqual([])
      await page.context().close()
    })

    it('UX-15 signs in from two tabs that were opened side by side', async () => {
      const account = await createAccount(server)
      await using app = await App.start(server)
      await allowBefore(server, account, app.rp.clientId)
      const page = await browser.newPage(options)
      const other = await page.context().newPage()
      await page.goto(app.rp.authorizationUrl().href)
      await other.goto(`${server.origin}/account`)
      await signIn(other, account.email)
      await other.waitForURL(`${server.origin}/account`)
      await signIn(page, account.email)
      expect((await app.rp.redeem(await app.callback)).claims()?.sub).toBe(account.id)
      await page.context().close()
    })
  },
)
