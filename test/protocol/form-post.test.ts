import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { chromium } from '../support/chromium.ts'
import { allowBefore, createAccount, createClient, PASSWORD } from '../support/factories.ts'
import { authorizationUrl } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

const { newPage } = chromium()
let server: TestServer
/** An app that takes the answer by POST, on loopback. */
let app: Server
let redirectUri: string
let received: URLSearchParams[] = []

beforeAll(async () => {
  server = await startServer()
  app = createServer((request, response) => {
    void answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(app, 'listening')
  redirectUri = `http://localhost:${(app.address() as AddressInfo).port}/callback`
})
afterAll(async () => {
  app.closeAllConnections()
  app.close()
  await server.stop()
})
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request)
  if (request.method === 'POST') received.push(new URLSearchParams(body))
  response.setHeader('content-type', 'text/html').end('<title>app</title>')
}
beforeEach(() => {
  received = []
})

async function signIn(page: Page, change: Readonly<Record<string, string>> = {}): Promise<void> {
  const { clientId } = await createClient(server, {
    redirectUris: [redirectUri],
    postLogoutRedirectUris: [redirectUri],
  })
  const account = await createAccount(server)
  await allowBefore(server, account, clientId)
  await page.goto(
    authorizationUrl(server, clientId, {
      redirect_uri: redirectUri,
      response_mode: 'form_post',
      ...change,
    }).href,
  )
  await page.fill('[name=username]', account.email)
  await page.fill('[name=password]', PASSWORD)
  await page.click('button[type=submit], form button:not([type=button])')
}

describe('form_post in Chromium', () => {
  it('AZ-06 sends itself under the policy of its page', async () => {
    const page = await newPage()
    const refused: string[] = []
    page.on('console', (message) => message.type() === 'error' && refused.push(message.text()))
    await signIn(page)
    await page.waitForURL(redirectUri)
    expect(Object.fromEntries(received[0] ?? [])).toEqual({
      code: expect.any(String),
      state: 'the-state',
      iss: server.origin,
    })
    expect(refused.filter((text) => /Content Security Policy/.test(text))).toEqual([])
  })

  it('AZ-06 WB-04 has a button that does it without JavaScript', async () => {
    const page = await newPage({ javaScriptEnabled: false })
    await signIn(page)
    expect(received).toEqual([])
    await page.click('main form button')
    await page.waitForURL(redirectUri)
    expect(received[0]?.get('state')).toBe('the-state')
  })

  it('LO-01 a logout without a session goes on to the app by itself', async () => {
    const { clientId } = await createClient(server, {
      postLogoutRedirectUris: [redirectUri],
    })
    const page = await newPage()
    const url = new URL('/session/end', server.origin)
    url.search = new URLSearchParams({
      client_id: clientId,
      post_logout_redirect_uri: redirectUri,
      state: 's',
    }).toString()
    await page.goto(url.href, { waitUntil: 'commit' })
    await page.waitForURL(`${redirectUri}?state=s`)
    expect(await page.title()).toBe('app')
  })
})
