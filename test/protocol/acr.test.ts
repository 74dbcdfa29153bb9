import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ACR } from '../../src/accounts/factors/levels.ts'
import { Browser, type Page } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { codeOf, enableMfa, enter } from '../support/people.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let app: RelyingParty
beforeAll(async () => {
  server = await startServer()
  app = await relyingParty(server, { firstParty: true })
})
afterAll(() => server.stop())

type Wish = Readonly<Record<string, unknown>>
const acr = (wish: Wish) => ({ claims: JSON.stringify({ id_token: { acr: wish } }) })
const essential = (...values: string[]) => acr({ essential: true, values })
const errorOf = (page: Page) => page.url.searchParams.get('error')
const UNMET = 'unmet_authentication_requirements'
const TWO = ACR.multiFactor
const ONE = ACR.singleFactor
const secretOn = (page: Page) =>
  (/<code class="secret"[^>]*>([A-Z2-7 ]+)</.exec(page.text)?.[1] ?? '').replaceAll(' ', '')

/** Ways to say that only two factors will do. */
const DEMANDS: readonly [string, Readonly<Record<string, string>>][] = [
  ['acr_values', { acr_values: TWO }],
  ['an essential value', acr({ essential: true, value: TWO })],
  ['essential values', essential(TWO)],
  ['essential values, one of them unknown', essential('urn:other', TWO)],
  ['a value and no other', acr({ value: TWO })],
]

describe.each(DEMANDS)('TF-10 two factors demanded by %s', (_how, demand) => {
  it('lead a person without a second factor through enrolment to two factors', async () => {
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl(demand))
    const page = await enter(browser, account)
    expect(page.url.pathname).toMatch(/\/mfa-enrol$/)
    await browser.submit('/mfa-enrol', { code: await codeOf(secretOn(page)) })
    const back = await browser.submit('/recovery-codes')
    expect((await app.redeem(back.url)).claims()).toMatchObject({ acr: TWO })
  })

  it('are refused with prompt=none where there is one factor, or no sign-in', async () => {
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    const silent = app.authorizationUrl({ ...demand, prompt: 'none' })
    expect(errorOf(await browser.copy().visit(silent))).toBe('login_required')
    await browser.visit(app.authorizationUrl())
    await enter(browser, account)
    expect(errorOf(await browser.visit(silent))).toBe(UNMET)
    expect((await browser.visit(app.authorizationUrl(demand))).h1).toBe('Confirm it is you')
  })

  it('are not met by a recovery code, and end at the app', async () => {
    const account = await createAccount(server)
    const { recoveryCodes } = await enableMfa(server, account)
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl(demand))
    await enter(browser, account)
    await browser.follow(
      browser.page.links.find(({ search }) => search === '?method=recovery') ?? '',
    )
    const back = await browser.submit('/mfa', { code: recoveryCodes[0] ?? '' })
    expect([back.step, errorOf(back)]).toEqual(['app', UNMET])
    expect(await server.context.sessions.list(account.id)).toHaveLength(1)
    const plain = await browser.visit(app.authorizationUrl({ prompt: 'none' }))
    expect((await app.redeem(plain.url)).claims()).toMatchObject({ acr: ONE })
  })

  it('are met by a second factor', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl(demand))
    const back = await enter(browser, account, { authenticator })
    expect((await app.redeem(back.url)).claims()).toMatchObject({ acr: TWO })
    const silent = await browser.visit(app.authorizationUrl({ ...demand, prompt: 'none' }))
    expect((await app.redeem(silent.url)).claims()).toMatchObject({ acr: TWO })
  })
})

describe('TF-10 classes of authentication that cannot be had', () => {
  it.each([
    ['an unknown class', essential('urn:other')],
    ['no class', acr({ essential: true, value: '' })],
    ['one factor there, two here', { ...essential(ONE), acr_values: TWO }],
  ])('%s is refused at once, signed in or not', async (_what, demand) => {
    const browser = new Browser(server.origin)
    const url = app.authorizationUrl(demand)
    expect(errorOf(await browser.visit(url))).toBe(UNMET)
    await browser.visit(app.authorizationUrl())
    await enter(browser, await createAccount(server))
    expect(errorOf(await browser.visit(url))).toBe(UNMET)
    expect(errorOf(await browser.visit(app.authorizationUrl({ ...demand, prompt: 'none' })))).toBe(
      UNMET,
    )
  })

  it('one factor and no more, asked of a person who has two, ends after the sign-in', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl(essential(ONE)))
    const back = await enter(browser, account, { authenticator })
    expect([back.step, errorOf(back)]).toEqual(['app', UNMET])
  })

  it('what is a wish stays one: the best there is, and `acr` says which', async () => {
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl())
    await enter(browser, account)
    for (const wish of [
      essential(ONE, TWO),
      acr({ values: ['urn:other'] }),
      acr({ values: [TWO, 'urn:other'] }),
      acr({ essential: true }),
      { acr_values: `${TWO} urn:other` },
      { ...acr({ essential: false, value: ONE }), acr_values: ONE },
    ]) {
      const back = await browser.visit(app.authorizationUrl({ ...wish, prompt: 'none' }))
      expect((await app.redeem(back.url)).claims()).toMatchObject({ acr: ONE })
    }
  })
})
