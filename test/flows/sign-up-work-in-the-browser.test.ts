import { describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { chromium } from '../support/chromium.ts'
import { PASSWORD } from '../support/factories.ts'
import { takeWaiting } from '../support/slow-lane.ts'
import { useServer } from '../support/use-server.ts'

const browser = chromium()
const server = useServer({ config: { proofOfWork: 'always' } })

async function fill(page: Page, email: string): Promise<void> {
  await page.fill('#name', 'Grace Hopper')
  await page.fill('#email', email)
  await page.fill('#password', PASSWORD)
  await page.click('button.primary')
  await page.waitForURL('**/verify-email')
}

describe('work for a sign-up, in Chromium', () => {
  it('AA-01 a worker does it under our policy, and the mail comes at once', async () => {
    const page = await browser.newPage()
    const faults: string[] = []
    page.on('console', (message) => faults.push(message.text()))
    page.on('pageerror', (error) => faults.push(error.message))
    await page.goto(`${server.origin}/signup`)
    await page.waitForSelector('input[name=proof][value]', { state: 'attached' })
    const email = 'grace@example.org'
    await fill(page, email)
    expect([await takeWaiting(server), faults]).toEqual([0, []])
    expect(await server.inbox.code(email)).toMatch(/^\d{6}$/)
  })

  it('AA-01 a form that is sent sooner, or without script, is not held up: its mail waits', async () => {
    const hasty = await browser.newPage()
    await hasty.route('**/assets/work.*', (route) => route.abort())
    const plain = await browser.newPage({ javaScriptEnabled: false })
    for (const [page, email] of [
      [hasty, 'ada@example.org'],
      [plain, 'mary@example.org'],
    ] as const) {
      await page.goto(`${server.origin}/signup`)
      await fill(page, email)
    }
    expect(await takeWaiting(server)).toBe(2)
  })
})
