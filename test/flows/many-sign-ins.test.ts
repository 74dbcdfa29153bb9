import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const UNDER_WAY = 5
/** Two that bind a sign-in to its browser, each with its signature. */
const COOKIES_EACH = 4
const BINDING = /^gatehouse_(interaction|resume)(\.sig)?$/

describe('many sign-ins begun in one browser', () => {
  let server: TestServer
  let app: RelyingParty
  let account: { email: string }
  beforeAll(async () => {
    server = await startServer()
    app = await relyingParty(server, { firstParty: true })
    account = await createAccount(server)
  })
  afterAll(() => server.stop())

  const tabOf = ({ jar }: Browser) => new Browser(server.origin, { jar })
  const binding = ({ jar }: Browser) => jar.all.filter(({ name }) => BINDING.test(name))
  const uidOf = ({ page }: Browser) => page.url.pathname.split('/')[2] ?? ''
  const signIn = (tab: Browser) =>
    tab.submit('/login', { username: account.email, password: PASSWORD })

  async function begin(
    count: number,
    browser: Browser,
    { party = app, ...parameters }: { party?: RelyingParty; prompt?: string } = {},
  ): Promise<Browser[]> {
    const tabs = Array.from({ length: count }, () => tabOf(browser))
    for (const tab of tabs)
      expect((await tab.visit(party.authorizationUrl(parameters))).step).toBe('login')
    return tabs
  }

  it('WB-02 sixty leave the cookies of five, and those of session, device and forms as they were', async () => {
    const browser = new Browser(server.origin)
    await browser.visit('/login')
    await signIn(browser)
    const before = browser.jar.all.filter(({ name }) => /session|device|csrf/.test(name))
    expect(before).toHaveLength(5)
    const tabs = await begin(60, browser, { prompt: 'login' })

    expect(binding(browser)).toHaveLength(UNDER_WAY * COOKIES_EACH)
    expect(new Set(binding(browser).map(({ path }) => path.split('/')[2]))).toEqual(
      new Set(tabs.slice(-UNDER_WAY).map(uidOf)),
    )
    expect(browser.jar.all).toHaveLength(UNDER_WAY * COOKIES_EACH + before.length + 2)
    for (const { name, value } of before)
      expect([name, browser.jar.find(name)?.value]).toEqual([name, value])
    expect((await tabOf(browser).visit('/account')).status).toBe(200)
  })

  it('WB-02 all cookies together fit into the headers that proxies take, and so does the answer that begins a sign-in', async () => {
    const browser = new Browser(server.origin)
    await browser.visit('/login')
    await signIn(browser)
    await begin(60, browser, { prompt: 'login' })
    const all = browser.jar.all.map(({ name, value }) => `${name}=${value}`).join('; ')
    expect(all.length).toBeLessThan(8192)
    const url = app.authorizationUrl({ prompt: 'login' })
    const cookie = browser.jar.header(url) ?? ''
    expect(cookie.length).toBeLessThan(2048)
    const answer = await send(url, { headers: { cookie } })
    const head = [...answer.headers].map(([name, value]) => `${name}: ${value}\r\n`).join('')
    expect([answer.status, answer.headers.getSetCookie().length]).toEqual([303, 12])
    expect(head.length).toBeLessThan(4096)
  })

  it('SE-12 each of the last five is finished in its own tab, in any order', async () => {
    const browser = new Browser(server.origin)
    const tabs = (await begin(60, browser)).slice(-UNDER_WAY)
    for (const tab of [...tabs.slice(2), ...tabs.slice(0, 2)]) {
      expect((await signIn(tab)).isForeign).toBe(true)
      await expect(app.redeem(tab.page.url)).resolves.toMatchObject({
        id_token: expect.any(String),
      })
    }
    expect(binding(browser)).toEqual([])
  })

  it('SE-12 five that each go on to the consent page are finished too: a step takes the place of the one before', async () => {
    const browser = new Browser(server.origin)
    const parties = await Promise.all(Array.from({ length: UNDER_WAY }, () => relyingParty(server)))
    const tabs: Browser[] = []
    for (const party of parties) tabs.push(...(await begin(1, browser, { party })))
    for (const tab of tabs.toReversed()) expect((await signIn(tab)).step).toBe('consent')
    expect(binding(browser)).toHaveLength(UNDER_WAY * COOKIES_EACH)
    for (const [index, tab] of tabs.entries()) {
      await tab.submit('/consent', {}, { button: 'allow' })
      await expect(parties[index]?.redeem(tab.page.url)).resolves.toMatchObject({
        id_token: expect.any(String),
      })
    }
  })

  it('UX-14 every older tab is led back to its app, and starts again', async () => {
    const browser = new Browser(server.origin)
    const tabs = await begin(60, browser)
    for (const index of [0, 30, 60 - UNDER_WAY - 1]) {
      const tab = tabs[index] as Browser
      expect((await signIn(tab)).status).toBe(400)
      const over = await tab.visit(`/interaction/${uidOf(tab)}/login`)
      expect(over.h1).toBe('This sign-in is over')
      expect(over.words).toContain('You can start it again for Plant Diary')
      await tab.follow(over.links.find(({ pathname }) => pathname === '/auth') ?? '')
      if (!tab.page.isForeign) await signIn(tab)
      await expect(app.redeem(tab.page.url)).resolves.toMatchObject({
        id_token: expect.any(String),
      })
    }
  })

  it('SE-12 the list of sign-ins binds none of them: without its own cookies a sign-in goes on nowhere', async () => {
    const browser = new Browser(server.origin)
    const [tab] = await begin(1, browser)
    const uid = uidOf(tab as Browser)
    const copy = browser.copy()
    for (const name of ['interaction', 'resume'])
      for (const end of ['', '.sig']) copy.jar.delete(`gatehouse_${name}${end}`)
    for (const path of [`/interaction/${uid}`, `/interaction/${uid}/login`, `/auth/${uid}`])
      expect([path, (await copy.visit(path)).status]).toEqual([path, 400])
    expect((await signIn(tab as Browser)).isForeign).toBe(true)
  })

  it('two that are begun at the same moment know of each other after their pages', async () => {
    const browser = new Browser(server.origin)
    await browser.visit('/forgot-password')
    const pair = [tabOf(browser), tabOf(browser)]
    await Promise.all(pair.map((tab) => tab.visit(app.authorizationUrl())))
    for (const tab of pair) await tab.visit(`/interaction/${uidOf(tab)}`)
    await begin(UNDER_WAY, browser)
    expect(binding(browser)).toHaveLength(UNDER_WAY * COOKIES_EACH)
  })
})
