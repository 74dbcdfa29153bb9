import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { chromium } from '../support/chromium.ts'
import { createAccount } from '../support/factories.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { somebody } from '../support/upstream/coming.ts'
import { HOSTILE_CLIENT, HostileOp } from '../support/upstream/hostile-op.ts'
import { createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'

const web = chromium()

describe('a provider in a real browser', () => {
  let server: TestServer
  let op: HostileOp
  beforeAll(async () => {
    op = await HostileOp.open()
    server = await startServer({ outgoing: TO_LOOPBACK })
    await createProvider(server, {
      issuer: op.issuer,
      client: HOSTILE_CLIENT,
      settings: { emailTrust: 'claim' },
    })
  })
  beforeEach(() => {
    op.person = somebody({ email_verified: true })
  })
  afterAll(async () => {
    await server.stop()
    await op[Symbol.asyncDispose]()
  })

  const atLogin = async (javaScriptEnabled = true): Promise<Page> => {
    const page = await web.newPage({ ignoreHTTPSErrors: true, javaScriptEnabled })
    await page.goto(`${server.origin}/account`)
    return page
  }

  it.each([true, false])('is reached and come back from, with scripts: %s', async (scripts) => {
    const page = await atLogin(scripts)
    await page.getByRole('button', { name: 'Continue with Acme' }).click()
    await page.waitForURL('**/account')
    expect(await page.textContent('h1')).toBe('Hello, Grace Hopper')
  })

  it('answers by a form of its own, with which no cookie comes', async () => {
    const page = await atLogin()
    let posted: Record<string, string> | undefined
    await page.route(`${op.issuer}/authorize**`, async (route) => {
      const back = await op.authorize(route.request().url())
      const fields = [...back.searchParams].map(
        ([name, value]) => `<input type="hidden" name="${name}" value="${value}">`,
      )
      const form = `<form method="post" action="${back.origin}${back.pathname}">${fields.join('')}</form>`
      const script = '<script>document.forms[0].submit()</script>'
      await route.fulfill({ contentType: 'text/html', body: `${form}${script}` })
    })
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/callback'))
        void (async () => {
          posted = await request.allHeaders()
        })()
    })
    await page.getByRole('button', { name: 'Continue with Acme' }).click()
    await page.waitForURL('**/account')
    expect(posted?.['origin']).not.toBe(server.origin)
    expect(posted?.['cookie'] ?? '').not.toContain('upstream')
  })

  it('connects an account, by its password and a press', async () => {
    const account = await createAccount(server, { email: String(op.person['email']) })
    const page = await atLogin()
    await page.getByRole('button', { name: 'Continue with Acme' }).click()
    await page.getByText('There is an account with your address already').waitFor()
    expect(await page.inputValue('input[name=username]')).toBe(account.email)
    await page.fill('input[name=password]', account.password)
    await page.click('#sign-in')
    await page.getByRole('button', { name: 'Connect', exact: true }).click()
    await page.waitForURL('**/account')
    await page.goto(`${server.origin}/account/connections`)
    expect(await page.textContent('main')).toContain('Acme')
  })
})
