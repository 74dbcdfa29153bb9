import { mkdirSync } from 'node:fs'
import { createServer, connect as dial } from 'node:net'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { demoClient, demoResource } from '../../src/http/dev/demo.ts'
import { chromium } from './chromium.ts'
import { startServer } from './server.ts'
import { ROOT } from './sources.ts'

const web = chromium()
const EMAIL = 'ada@example.org'
const PASSWORD = 'plum ladder seven harbour'

/**
 * Draws the pictures of the README, by
 * `npm test -- --testMatch '<rootDir>/test/support/screenshots.ts'`; `npm test` alone leaves them
 * as they are.
 */
it('walks from sign-up to the demo and photographs every stop', async () => {
  await using server = await startServer({ issuer: 'http://localhost:3000' })
  await using _front = await listenInFront(3000, server.address)
  await server.context.resources.ensure(demoResource(server.origin))
  await server.context.clients.ensure(demoClient(server.origin))
  const folder = join(ROOT, 'docs/images')
  mkdirSync(folder, { recursive: true })

  const page = await web.newPage({
    viewport: { width: 960, height: 720 },
    deviceScaleFactor: 1.5,
    colorScheme: 'light',
  })
  const shoot = (name: string) => page.screenshot({ path: join(folder, `${name}.png`) })

  await page.goto(`${server.origin}/signup`)
  await page.fill('input[name=name]', 'Ada Lovelace')
  await page.fill('input[name=email]', EMAIL)
  await page.fill('input[name=password]', PASSWORD)
  await page.click('main form button.primary')
  await page.waitForURL('**/verify-email')
  const { id, subject } = await server.inbox.next(EMAIL)
  await page.fill('input[name=code]', subject.replace(/\D/g, ''))
  await shoot('verify-email')
  await page.click('main form button.primary')
  await page.waitForURL('**/account')
  await shoot('account')
  await page.goto(`${server.origin}/dev/inbox/${id}`)
  await shoot('inbox')

  await page.context().clearCookies()
  await page.goto(`${server.origin}/demo`)
  await page.click('#sign-in')
  await page.fill('input[name=username]', EMAIL)
  await page.fill('input[name=password]', PASSWORD)
  await shoot('login')
  await page.click('main form button.primary')
  await page.waitForSelector('button[value=allow]')
  await page.setViewportSize({ width: 960, height: 1080 })
  await shoot('consent')
  await page.setViewportSize({ width: 960, height: 720 })
  await page.click('button[value=allow]')
  await page.waitForSelector('#signed-in:not([hidden])')
  await page.click('#call-api')
  await page.locator('#answer pre', { hasText: 'demo:read' }).waitFor()
  await shoot('demo')
  expect(await page.textContent('h1')).toBe('Hello, Ada Lovelace')
})

/** So that the pictures show the address that a newcomer sees. */
async function listenInFront(
  port: number,
  target: { readonly host: string; readonly port: number },
): Promise<AsyncDisposable> {
  const front = createServer((socket) => {
    const onward = dial(target)
    for (const each of [socket, onward])
      each.on('error', () => void [socket.destroy(), onward.destroy()])
    socket.pipe(onward).pipe(socket)
  })
  await new Promise<void>((resolve, reject) =>
    front.once('error', reject).listen(port, '127.0.0.1', resolve),
  )
  return {
    async [Symbol.asyncDispose]() {
      front.close()
    },
  }
}
