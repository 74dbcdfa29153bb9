import { Browser, type Page } from '../support/browser.ts'
import { CookieJar } from '../support/cookie-jar.ts'
import type { RunningParty } from './world.ts'

interface Somebody {
  readonly email: string
  readonly password: string
}

/** Where an app is for browsers, and the port at which it listens. */
type Place = Pick<RunningParty, 'app' | 'port'>

const MAX_STEPS = 12

/** A person with one browser, whose cookies are for all ports of a host, as browsers have it. */
export class Walker {
  readonly #somebody: Somebody
  readonly #issuer: Browser
  readonly #app: Browser

  constructor(somebody: Somebody, issuer: string, { app, port }: Place) {
    const jar = new CookieJar()
    this.#somebody = somebody
    this.#issuer = new Browser(issuer, { jar })
    // The proxy in front of it ends TLS.
    const headers = { 'x-forwarded-proto': new URL(app).protocol.slice(0, -1) }
    this.#app = new Browser(app, { jar, headers, connect: { host: 'localhost', port } })
  }

  /** Opens a page of the app and does what is asked until the app shows a page of its own. */
  async open(path: string): Promise<Page> {
    let page = await this.#app.visit(path)
    const shown: string[] = []
    for (let steps = 0; steps < MAX_STEPS; steps += 1) {
      shown.push(`${page.url.href} ${page.status} ${page.h1 ?? ''}`)
      const next = await this.#next(page)
      if (next === undefined) return page
      page = next
    }
    throw new Error(`It goes on and on:\n${shown.join('\n')}`)
  }

  /** One request of the app's page, which does not lead anywhere. */
  ask(path: string): Promise<Page> {
    return this.#app.visit(path)
  }

  /** The person leaves at the server itself, without any app. */
  async signOutAtServer(): Promise<void> {
    await this.#answer(await this.#issuer.visit('/session/end'))
  }

  /** Whether the server asks this person to sign in again. */
  async isSignedOutAtServer(path: string): Promise<boolean> {
    const away = await this.#leave(await this.#app.visit(path))
    return (await this.#issuer.visit(away.url)).step === 'login'
  }

  async #next(page: Page): Promise<Page | undefined> {
    if (page.isForeign) return this.#browserOf(page).visit(page.url)
    if (page.url.origin === this.#issuer.origin) return this.#answer(page)
    const posted = page.forms.find(({ method }) => method === 'POST')
    return posted && page.status < 400 ? this.#app.submit(posted) : undefined
  }

  /** The app's own "sign in with" button, if it has one, leads to the server. */
  async #leave(page: Page): Promise<Page> {
    return page.isForeign ? page : ((await this.#next(page)) ?? page)
  }

  #answer(page: Page): Promise<Page> {
    const { email, password } = this.#somebody
    if (page.step === 'login') return this.#issuer.submit('/login', { username: email, password })
    if (page.step === 'consent') return this.#issuer.submit('/consent', {}, { button: 'allow' })
    if (page.url.pathname === '/session/end') return this.#issuer.submit(0, {}, { button: 'yes' })
    throw new Error(`Not a page to go on from: ${page.url.href} ${page.status} ${page.words}`)
  }

  #browserOf({ url }: Page): Browser {
    return url.origin === this.#issuer.origin ? this.#issuer : this.#app
  }
}
