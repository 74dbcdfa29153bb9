import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { chromium } from '../support/chromium.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { codeOf } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

const PATHS = [
  '',
  '/profile',
  '/email',
  '/password',
  '/passkeys',
  '/passkeys/new',
  '/mfa',
  '/sessions',
  '/apps',
  '/activity',
  '/delete',
]

describe('the account area in Chromium', () => {
  const browser = chromium()
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  async function signIn(page: Page): Promise<string> {
    const account = await createAccount(server)
    await page.goto(`${server.origin}/account`)
    await page.fill('#username', account.email)
    await page.fill('#password', PASSWORD)
    await page.press('#password', 'Enter')
    await page.waitForURL('**/account')
    return account.email
  }

  it.each([
    ['light', true],
    ['dark', false],
  ] as const)(
    'UX-16 UX-38 UX-40 every page fits 320 px (%s, JavaScript %s), has one heading, and breaks no policy',
    async (colorScheme, javaScriptEnabled) => {
      const page = await browser.newPage({
        viewport: { width: 320, height: 640 },
        colorScheme,
        javaScriptEnabled,
      })
      const complaints: string[] = []
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
      })
      const foreign: string[] = []
      page.on('request', (request) => {
        if (!request.url().startsWith(server.origin) && !request.url().startsWith('data:'))
          foreign.push(request.url())
      })
      await signIn(page)
      for (const path of PATHS) {
        await page.goto(`${server.origin}/account${path}`)
        expect(await page.locator('h1').count()).toBe(1)
        expect(await page.locator('main').count()).toBe(1)
        const widths = await page
          // The sections scroll in one row of their own.
          .locator('body, body *:not(nav *)')
          .evaluateAll((elements) =>
            elements.map((element) => element.getBoundingClientRect().right),
          )
        const row = await page
          .locator('nav li')
          .evaluateAll((items) => items.map((item) => item.getBoundingClientRect().top))
        expect(new Set(row).size).toBe(1)
        expect(`${path} ${Math.max(...widths) <= 320.5}`).toBe(`${path} true`)
      }
      expect({ complaints, foreign }).toEqual({ complaints: [], foreign: [] })
    },
    60_000,
  )

  it('UX-23 UX-24 enrols by keyboard; copy and print are there with JavaScript, and the file holds the codes', async () => {
    const page = await browser.newPage()
    await page
      .context()
      .grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.origin })
    await signIn(page)
    await page.goto(`${server.origin}/account/mfa`)
    await page.click('button.primary')
    await page.click('button[data-copy=secret]')
    const secret = await page.evaluate<string>('navigator.clipboard.readText()')
    expect(secret).toMatch(/^[A-Z2-7]{32}$/)
    await page.fill('#code', await codeOf(secret))
    await page.press('#code', 'Enter')
    await page.waitForSelector('#codes')
    const codes = await page.locator('#codes li').allInnerTexts()
    expect(codes).toHaveLength(10)
    await page.click('button[data-copy=codes]')
    expect((await page.evaluate<string>('navigator.clipboard.readText()')).split(/\s+/)).toEqual(
      codes,
    )
    expect(await page.locator('button[data-print]').isVisible()).toBe(true)
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('a[download]')])
    expect(download.suggestedFilename()).toBe('recovery-codes.txt')
    const href = decodeURIComponent((await page.getAttribute('a[download]', 'href')) ?? '')
    for (const code of codes) expect(href).toContain(code)
  }, 60_000)

  it('UX-24 without JavaScript nothing is offered that does not work', async () => {
    const page = await browser.newPage({ javaScriptEnabled: false })
    await signIn(page)
    await page.goto(`${server.origin}/account/mfa`)
    await page.click('button.primary')
    expect(await page.locator('button[data-copy]').isVisible()).toBe(false)
    await page.fill('#code', await codeOf((await page.getAttribute('#secret', 'data-value')) ?? ''))
    await page.click('button.primary')
    expect(await page.locator('button[data-print]').isVisible()).toBe(false)
    expect(await page.locator('a[download]').isVisible()).toBe(true)
  }, 60_000)

  it('SE-05 after signing out the back button shows nothing of the account', async () => {
    const page = await browser.newPage()
    const email = await signIn(page)
    await page.goto(`${server.origin}/account/sessions`)
    await page.click('form[action="/account/sign-out"] button')
    await page.waitForURL('**/signed-out')
    await page.goBack()
    expect(await page.content()).not.toContain(email)
    expect(await page.locator('#password').count()).toBe(1)
  }, 60_000)
})
