import type { Browser, Page } from '../browser.ts'
import type { HostileOp } from './hostile-op.ts'

interface Authorizes {
  authorize(request: URL | string): Promise<URL>
}

/** As a browser says of a page that another site has sent it to. */
export const FROM_ELSEWHERE = { 'sec-fetch-site': 'cross-site' } as const

/** Presses the button of a provider, and is sent there: the address of its authorization request. */
export async function leaveFor(browser: Browser, id = 'acme'): Promise<URL> {
  const page = await browser.submit(`/upstream/${id}`)
  if (!page.isForeign) throw new Error(`Still here: ${page.status} ${page.words}`)
  return page.url
}

/** There and back, as the provider has it. */
export async function comeBy(browser: Browser, op: Authorizes, id = 'acme'): Promise<Page> {
  return browser.visit(await op.authorize(await leaveFor(browser, id)), FROM_ELSEWHERE)
}

let people = 0
/** Somebody whom nobody has met yet. */
export function somebody(claims: HostileOp['person'] = {}): HostileOp['person'] {
  people += 1
  return { sub: `s-${people}`, email: `p${people}@example.net`, name: 'Grace Hopper', ...claims }
}
