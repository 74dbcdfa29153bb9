import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { chromium } from '../support/chromium.ts'
import { createAccount } from '../support/factories.ts'
import { honestBefore } from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

const web = chromium()

describe('a provider in a real browser', () => {
  const server = useServer({ outgoing: TO_LOOPBACK })
  const op = HostileOp.use()
  honestBefore(op, { email_verified: true })
  beforeAll(async () => {
    await createProvider(server, {
      issuer: op.issuer,
      settings: { emailTrust: 'claim' },
    })
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
    await page.route(`${op.issuer}/authorize**`, async (route) => {
      const back = await op.authorize(route.request().url())
      const fields = [...back.searchParams].map(
        ([name, value]) => `<input type="hidden" name="${name}" value="${value}">`,
      )
      const form = `<form method="post" action="${back.origin}${back.pathname}">${fields.join('')}</form>`
      const script = '<script>document.forms[0].submit()</script>'
      await route.fulfill({ contentType: 'text/html', body: `${form}${script}` })
    })
    const posted = page.waitForRequest(
      (request) => request.method() === 'POST' && request.url().endsWith('/callback'),
    )
    await page.getByRole('button', { name: 'Continue with Acme' }).click()
    await page.waitForURL('**/account')
    const headers = await (await posted).allHeaders()
    expect(headers['origin']).not.toBe(server.origin)
    expect(headers['cookie'] ?? '').not.toContain('upstream')
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
