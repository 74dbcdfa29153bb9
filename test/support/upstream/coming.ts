import { beforeEach, jest } from '@jest/globals'
import { anyAddress } from '../api.ts'
import { Browser, type Page } from '../browser.ts'
import { send } from '../http.ts'
import type { TestServer } from '../server.ts'
import type { HostileOp } from './hostile-op.ts'

/** These tests make many requests; a machine that is shared must not decide whether they pass. */
jest.setTimeout(180_000)

interface Authorizes {
  authorize(request: URL | string): Promise<URL>
}

/** As a browser says of a page that another site has sent it to. */
export const FROM_ELSEWHERE = { 'sec-fetch-site': 'cross-site' } as const

/** A browser from an address of its own. Needs `trustedProxyHops: 1`. */
export const browse = ({ origin }: Pick<TestServer, 'origin'>): Browser =>
  new Browser(origin, { headers: { 'x-forwarded-for': anyAddress() } })

/** One that has gone to the account pages, and is asked to sign in. */
export async function atLogin(server: Pick<TestServer, 'origin'>): Promise<Browser> {
  const browser = browse(server)
  await browser.visit('/account')
  return browser
}

/** Presses the button of a provider, and is sent there: the address of its authorization request. */
export async function leaveFor(browser: Browser, id = 'acme'): Promise<URL> {
  const page = await browser.submit(`/upstream/${id}`)
  if (!page.isForeign) throw new Error(`Still here: ${page.status} ${page.words}`)
  return page.url
}

/** Presses the button that connects a provider to the account, and comes back. */
export async function connect(browser: Browser, op: Authorizes, id = 'acme'): Promise<Page> {
  await browser.visit('/account/connections')
  const away = await browser.submit(`/account/connections/${id}/connect`)
  return browser.visit(await op.authorize(away.url), FROM_ELSEWHERE)
}

/** There and back, as the provider has it. */
export async function comeBy(browser: Browser, op: Authorizes, id = 'acme'): Promise<Page> {
  return browser.visit(await op.authorize(await leaveFor(browser, id)), FROM_ELSEWHERE)
}

/** Where the callback sends the browser, which does not go there yet. */
export async function landingOf(browser: Browser, callback: URL): Promise<string> {
  const headers = {
    ...FROM_ELSEWHERE,
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    'x-forwarded-for': anyAddress(),
    cookie: browser.jar.header(callback) ?? '',
  }
  const answer = await send(callback, { headers })
  return answer.headers.get('location') ?? ''
}

let people = 0
/** Somebody whom nobody has met yet. */
export function somebody(claims: HostileOp['person'] = {}): HostileOp['person'] {
  people += 1
  return { sub: `s-${people}`, email: `p${people}@example.net`, name: 'Grace Hopper', ...claims }
}

/** In every test of the file or `describe` it is honest, and somebody new comes. */
export function honestBefore(op: HostileOp, claims: HostileOp['person'] = {}): void {
  beforeEach(() => {
    op.lies = {}
    op.person = somebody(claims)
  })
}
