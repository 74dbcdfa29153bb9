import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { Browser } from '../support/browser.ts'
import { chromium } from '../support/chromium.ts'
import { allowBefore, createAccount, createClient, PASSWORD } from '../support/factories.ts'
import { authorizationUrl } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

const PROGRAM = 'harbournotes://home'

/**
 * An app whose addresses send the person on: `/first` to another origin, `/twice` over a third,
 * `/program` to a program of the device.
 */
class App implements AsyncDisposable {
  readonly servers: readonly Server[]
  /** Paths that were asked for, with what came along. */
  readonly seen: URL[] = []

  static async start(): Promise<App> {
    const app = new App()
    await Promise.all(app.servers.map((server) => once(server.listen(0, '127.0.0.1'), 'listening')))
    return app
  }

  private constructor() {
    this.servers = [0, 1, 2].map((index) =>
      createServer((request, response) => {
        const url = new URL(request.url ?? '/', this.origin(index))
        this.seen.push(url)
        const next = (
          {
            '/program': () => PROGRAM,
            '/first': () => this.#home,
            '/twice': () => `${this.origin(1)}/first`,
          } as Next
        )[url.pathname]
        if (next) response.writeHead(302, { location: next() }).end()
        else
          response
            .setHeader('content-type', 'text/html')
            .end('<link rel="icon" href="data:,"><h1>Home</h1>')
      }),
    )
  }

  origin(index: number): string {
    const address = this.servers[index]?.address() as AddressInfo | null | undefined
    return `http://${index === 1 ? 'localhost' : '127.0.0.1'}:${address?.port}`
  }

  get #home(): string {
    return `${this.origin(2)}/home`
  }

  /** How often the app was asked for that address, and with what the first time. */
  calls(path: string): { times: number; first: URLSearchParams | undefined } {
    const calls = this.seen.filter(({ pathname }) => pathname === path)
    return { times: calls.length, first: calls[0]?.searchParams }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.servers) {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

const DESTINATIONS = ['/first', '/twice', '/program'] as const
const MODES = [{ javaScriptEnabled: true }, { javaScriptEnabled: false }]
const EVERY = MODES.flatMap((mode) => DESTINATIONS.map((path) => ({ ...mode, path })))

describe('an app that sends the person on', () => {
  const browser = chromium()
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  async function begin(
    app: App,
    { path, wasAllowed = true, mode, ...options }: Begun,
  ): Promise<{ clientId: string; page: Page; arrived: Promise<unknown> }> {
    const { clientId } = await createClient(server, {
      redirectUris: [app.origin(0) + path],
      postLogoutRedirectUris: [app.origin(0) + path],
    })
    const account = await createAccount(server)
    if (wasAllowed) await allowBefore(server, account, clientId)
    const page = await browser.newPage(options)
    await page.goto(
      authorizationUrl(server, clientId, {
        redirect_uri: app.origin(0) + path,
        ...(mode ? { response_mode: mode } : {}),
      }).href,
    )
    await page.fill('[name=username]', account.email)
    await page.fill('[name=password]', PASSWORD)
    return { clientId, page, arrived: arrival(app, page, path) }
  }

  /** Chromium has no program for the scheme: that it tried is what the person's device would have seen. */
  function arrival(app: App, page: Page, path: string): Promise<unknown> {
    if (path === '/program')
      return page.waitForEvent('requestfailed', (request) => request.url().startsWith(PROGRAM))
    return page.waitForURL(`${app.origin(2)}/home`)
  }

  it.each(EVERY)(
    'WB-01 leaves the sign-in page for $path, with JavaScript: $javaScriptEnabled',
    async (options) => {
      await using app = await App.start()
      const { page, arrived } = await begin(app, options)
      await page.keyboard.press('Enter')
      await arrived
      expect(app.calls(options.path)).toMatchObject({ times: 1 })
      expect(app.calls(options.path).first?.get('code')).toBeTruthy()
      await page.context().close()
    },
  )

  it.each(EVERY)(
    'WB-01 leaves the consent page for $path, allowed or not, with JavaScript: $javaScriptEnabled',
    async (options) => {
      for (const decision of ['allow', 'deny']) {
        await using app = await App.start()
        const { page, arrived } = await begin(app, { ...options, wasAllowed: false })
        await page.keyboard.press('Enter')
        await page.click(`button[value=${decision}]`)
        await arrived
        expect(
          app.calls(options.path).first?.get(decision === 'allow' ? 'code' : 'error'),
        ).toBeTruthy()
        await page.context().close()
      }
    },
  )

  it.each(EVERY)(
    'WB-01 LO-01 leaves the sign-out page for $path, with JavaScript: $javaScriptEnabled',
    async (options) => {
      await using app = await App.start()
      const { clientId, page, arrived } = await begin(app, options)
      await page.keyboard.press('Enter')
      await arrived
      const url = new URL('/session/end', server.origin)
      url.search = new URLSearchParams({
        client_id: clientId,
        post_logout_redirect_uri: app.origin(0) + options.path,
        state: 'bye',
      }).toString()
      await page.goto(url.href)
      const left = arrival(app, page, options.path)
      await page.click('button[name=logout], form[action$="/confirm"] button')
      await left
      expect(
        app.seen.some(
          ({ pathname, searchParams }) =>
            pathname === options.path && searchParams.get('state') === 'bye',
        ),
      ).toBe(true)
      await page.context().close()
    },
  )

  it.each(EVERY)(
    'AZ-06 leaves the form_post page for $path, with JavaScript: $javaScriptEnabled',
    async (options) => {
      await using app = await App.start()
      const { page, arrived } = await begin(app, { ...options, mode: 'form_post' })
      await page.keyboard.press('Enter')
      if (!options.javaScriptEnabled) await page.click('main form button')
      await arrived
      expect(app.calls(options.path)).toMatchObject({ times: 1 })
      await page.context().close()
    },
  )

  it('WB-01 says what happens and has a button, takes its target from the sign-in only, and is not kept', async () => {
    const { clientId } = await createClient(server, {
      name: 'Harbour Notes',
      type: 'native',
      redirectUris: ['com.example.harbour:/cb'],
    })
    const account = await createAccount(server)
    const person = new Browser(server.origin)
    await person.visit(
      authorizationUrl(server, clientId, { redirect_uri: 'com.example.harbour:/cb' }),
    )
    await person.submit('/login', { username: account.email, password: PASSWORD })
    const posted = await person.submit('/consent', {}, { button: 'allow', follow: false })
    const resume = new URL(posted.response.headers.get('location') ?? '')
    resume.search = '?redirect_uri=https://evil.example/&href=https://evil.example/'
    const response = await fetch(resume, {
      headers: { cookie: person.jar.header(resume) ?? '' },
      redirect: 'manual',
    })
    const html = await response.text()
    expect([
      response.status,
      response.headers.get('location'),
      response.headers.get('cache-control'),
    ]).toEqual([200, null, 'no-store'])
    expect(html).toMatch(
      /<a class="button primary wide" href="com\.example\.harbour:\/cb\?code=[\w-]+&amp;/,
    )
    expect(html).toContain('Allow your browser to open the app.')
    expect(html).toContain('Harbour Notes')
    expect(html).not.toContain('evil.example')
    const again = await fetch(resume, {
      headers: { cookie: person.jar.header(resume) ?? '' },
      redirect: 'manual',
    })
    expect(again.status).toBe(400)
  })

  it('WB-01 no page with a form of ours lets it be posted elsewhere, whoever asks', async () => {
    const { clientId } = await createClient(server)
    const person = new Browser(server.origin)
    const page = await person.visit(authorizationUrl(server, clientId))
    expect(page.response.headers.get('content-security-policy')).toMatch(/; form-action 'self';/)
    const stolen = await browser.newPage()
    const blocked = stolen.waitForEvent('console', (message) =>
      message.text().includes('form-action'),
    )
    await stolen.goto(authorizationUrl(server, clientId).href)
    await stolen.evaluate(
      `document.body.insertAdjacentHTML('afterbegin', '<form id="hijack" method="post" action="https://client.example/steal"><button>x</button></form>')`,
    )
    await stolen.evaluate(`document.querySelector('#hijack button').click()`)
    await blocked
    expect(new URL(stolen.url()).origin).toBe(server.origin)
    await stolen.context().close()
  })
})

type Next = Readonly<Record<string, (() => string) | undefined>>

interface Begun {
  readonly path: (typeof DESTINATIONS)[number]
  readonly javaScriptEnabled: boolean
  readonly wasAllowed?: boolean
  readonly mode?: string
}
