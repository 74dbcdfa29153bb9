import { beforeAll, describe, expect, it } from '@jest/globals'
import { createAccount } from '../support/factories.ts'
import { enter } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import { browse, comeBy, honestBefore } from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { createIdentity, createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

describe('UP-14 the claim idp of an ID token', () => {
  const server = useServer({ outgoing: TO_LOOPBACK, config: { trustedProxyHops: 1 } })
  const op = HostileOp.use()
  honestBefore(op, { email_verified: true })

  beforeAll(async () => {
    for (const id of ['acme', 'other'])
      await createProvider(server, {
        id,
        issuer: op.issuer,
        settings: { emailTrust: 'claim' },
      })
  })

  async function owner() {
    const account = await createAccount(server)
    for (const id of ['acme', 'other']) await createIdentity(server, account.id, op, id)
    return account
  }
  const party = (asking = {}) => relyingParty(server, { firstParty: true, ...asking })
  type Party = Awaited<ReturnType<typeof party>>
  /** The tokens of a sign-in by a provider. */
  async function by(
    id: string,
    app: Party,
    browser = browse(server),
    asking: Record<string, string> = {},
  ) {
    await browser.visit(app.authorizationUrl(asking))
    await comeBy(browser, op, id)
    return app.redeem(browser.page.url)
  }
  const idpOf = (tokens: { claims(): object | undefined }): unknown =>
    Object.entries(tokens.claims() ?? {}).find(([name]) => name === 'idp')?.[1]

  it.each([
    ['a client that takes the fast way', {}],
    ['a client of the engine alone', { idTokenClaims: 'scope' as const }],
    ['with offline access', {}],
  ])('names the provider, at the code and at each refresh: %s', async (name, asking) => {
    await owner()
    const app = await party(asking)
    const offline = { scope: 'openid email offline_access', prompt: 'consent' }
    const browser = browse(server)
    await browser.visit(app.authorizationUrl(name === 'with offline access' ? offline : {}))
    await comeBy(browser, op)
    if (!browser.page.isForeign) await browser.submit('/consent', {}, { button: 'allow' })
    const tokens = await app.redeem(browser.page.url)
    expect(idpOf(tokens)).toBe('acme')
    const renewed = await app.refresh(tokens.refresh_token ?? '')
    expect(idpOf(renewed)).toBe('acme')
  })

  it('is not there for a password, and says nothing at userinfo', async () => {
    const account = await owner()
    const app = await party()
    const browser = browse(server)
    await browser.visit(app.authorizationUrl())
    await enter(browser, account)
    const tokens = await app.redeem(browser.page.url)
    expect(tokens.claims()).not.toHaveProperty('idp')
    const came = await by('acme', app)
    const response = await fetch(`${server.origin}/userinfo`, {
      headers: { authorization: `Bearer ${came.access_token}` },
    })
    expect(await response.json()).not.toHaveProperty('idp')
  })

  it('tells of the sign-in of its own token, whatever came after it in the session', async () => {
    const account = await owner()
    const app = await party()
    const browser = browse(server)
    const first = await by('acme', app, browser)
    const again = { prompt: 'login' }

    await browser.visit(app.authorizationUrl(again))
    await enter(browser, account)
    const local = await app.redeem(browser.page.url)
    expect(local.claims()).not.toHaveProperty('idp')
    const renewed = await app.refresh(first.refresh_token ?? '')
    expect(idpOf(renewed)).toBe('acme')

    await new Promise((resolve) => setTimeout(resolve, 1100))
    const second = await by('other', app, browser, again)
    expect(idpOf(second)).toBe('other')
    expect(idpOf(await app.refresh(renewed.refresh_token ?? ''))).toBeUndefined()
    expect((await app.refresh(local.refresh_token ?? '')).claims()).not.toHaveProperty('idp')
    expect(idpOf(await app.refresh(second.refresh_token ?? ''))).toBe('other')
  })

  it('is among the claims that discovery names', async () => {
    const response = await fetch(`${server.origin}/.well-known/openid-configuration`)
    expect((await response.json()) as object).toMatchObject({
      claims_supported: expect.arrayContaining(['idp']),
    })
  })
})
