import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createViews } from '../../src/views/views.ts'
import { Browser } from '../support/browser.ts'
import { chromium } from '../support/chromium.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { LOCALES } from './languages.ts'
import { BRAND, eachMail } from './samples.ts'

describe('the inbox of development in Chromium', () => {
  const browser = chromium()
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
    for (const email of ['ada@example.org', 'grace@example.net']) {
      const person = new Browser(server.origin)
      await person.visit('/signup')
      await person.submit('/sign-up', { name: 'Ada', email, password: 'plum ladder seven harbour' })
    }
  })
  afterAll(() => server.stop())

  it.each([320, 1280])(
    'shows every mail whole, in every language, %i px wide',
    async (width) => {
      const page = await browser.newPage({ viewport: { width, height: 640 } })
      await page.goto(`${server.origin}/dev/inbox`)
      await page.click('li a')
      const frame = await page.evaluate<{ width: number; height: number }>(
        `(({ clientWidth: width, clientHeight: height }) => ({ width, height }))(document.querySelector('iframe'))`,
      )
      expect(
        await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'),
      ).toBe(true)
      const views = createViews({ brand: BRAND, issuer: 'https://id.example.org' })
      await page.setViewportSize({ width: frame.width, height: 100 })
      const cut: string[] = []
      for (const locale of LOCALES)
        for (const { name, variant, model } of eachMail()) {
          await page.setContent(views.mail(name, model, { locale }).html)
          const height = await page.evaluate<number>('document.documentElement.scrollHeight')
          if (height > frame.height)
            cut.push(`${name} ${variant} ${locale}: ${height} > ${frame.height}`)
        }
      expect(cut).toEqual([])
    },
    60_000,
  )

  it('copies a code, and shows the mail of one address', async () => {
    const page = await browser.newPage()
    await page
      .context()
      .grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.origin })
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    await page.goto(`${server.origin}/dev/inbox`)
    expect(await page.locator('li').count()).toBe(2)
    await page.fill('#to', 'grace')
    await page.press('#to', 'Enter')
    await page.waitForURL('**/dev/inbox?to=grace')
    expect(await page.locator('li').count()).toBe(1)
    await page.click('button[data-copy]')
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    expect(await page.evaluate<string>('navigator.clipboard.readText()')).toBe(
      await server.inbox.code('grace@example.net'),
    )
    expect(complaints).toEqual([])
  }, 60_000)
})
