import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Browser, Page } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { PICTURES_CERTIFICATE, PICTURES_KEY } from '../support/loopback-certificate.ts'
import { signedIn } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { atLogin, comeBy, FROM_ELSEWHERE, leaveFor, somebody } from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { changeProvider, createProvider } from '../support/upstream/providers.ts'
import { TlsSite, TO_LOOPBACK } from '../support/upstream/tls.ts'

const CONNECTIONS = '/account/connections'
const BROKEN = { status: 500, body: 'oops' }
const SAID = 'Acme does not answer'

describe('a provider that is away', () => {
  let server: TestServer
  let op: HostileOp
  beforeEach(async () => {
    op = await HostileOp.open()
    op.person = somebody({ email_verified: true })
    server = await startServer({ outgoing: TO_LOOPBACK, config: { trustedProxyHops: 1 } })
    await createProvider(server, {
      issuer: op.issuer,
      settings: { emailTrust: 'claim' },
    })
  })
  afterEach(async () => {
    await server.stop()
    await op[Symbol.asyncDispose]()
  })

  /** It says so, and every other way is there: the person signs in by a password. */
  const expectOtherWays = async (browser: Browser, page: Page): Promise<void> => {
    expect(page.words).toContain(SAID)
    expect(page.status).toBe(503)
    const { email, password } = await createAccount(server)
    const after = await browser.submit('/login', { username: email, password })
    expect(after.url.pathname).toBe('/account')
  }

  it('traps nobody before the person goes there: stopped', async () => {
    const browser = await atLogin(server)
    await op[Symbol.asyncDispose]()
    await expectOtherWays(browser, await browser.submit('/upstream/acme'))
    await op.site.listen()
  })

  it.each([
    ['500', { status: 500, body: 'oops' }],
    ['no JSON', { body: '<html>maintenance</html>' }],
    ['slow', 'hang'],
  ] as const)('traps nobody before the person goes there: %s', async (_name, mood) => {
    const browser = await atLogin(server)
    op.site.moods.set('/.well-known/openid-configuration', mood)
    await expectOtherWays(browser, await browser.submit('/upstream/acme'))
  })

  it.each([
    ['500', { status: 500, body: 'oops' }],
    ['slow', 'hang'],
  ] as const)('traps nobody on the way back: %s', async (_name, mood) => {
    const browser = await atLogin(server)
    const back = await op.authorize(await leaveFor(browser))
    op.site.moods.set('/token', mood)
    await expectOtherWays(browser, await browser.visit(back, FROM_ELSEWHERE))
  })

  it('traps nobody: a certificate of somebody else', async () => {
    const site = new TlsSite({}, { key: PICTURES_KEY, cert: PICTURES_CERTIFICATE })
    await site.listen()
    await createProvider(server, { id: 'other', issuer: site.origin })
    const browser = await atLogin(server)
    const page = await browser.submit('/upstream/other')
    await site[Symbol.asyncDispose]()
    await expectOtherWays(browser, page)
  })

  it.each([
    ['server_error', { callback: { code: undefined, error: 'server_error' } }, undefined],
    ['busy', { callback: { code: undefined, error: 'temporarily_unavailable' } }, undefined],
    ['an odd code', { callback: { code: '<script>' } }, { status: 403, body: '<html>no</html>' }],
  ] as const)('is not what a browser says of it: %s', async (_name, lies, token) => {
    const attacker = await atLogin(server)
    op.lies = lies
    if (token) op.site.moods.set('/token', token)
    const page = await attacker.visit(await op.authorize(await leaveFor(attacker)), FROM_ELSEWHERE)
    expect([page.status, page.words.includes(SAID)]).toEqual([503, true])
    op.lies = {}
    op.site.moods.delete('/token')
    expect((await comeBy(await atLogin(server), op)).url.pathname).toBe('/account')
  })

  const discovery = '/.well-known/openid-configuration'
  it.each([
    ['away when one leaves', 503, 'There is no answer', () => op.site.moods.set(discovery, BROKEN)],
    ['away on the way back', 503, 'There is no answer', () => op.site.moods.set('/token', BROKEN)],
    [
      'disabled meanwhile',
      403,
      'not offered here',
      () => changeProvider(server, 'acme', { disabledAt: new Date() }),
    ],
  ] as const)('leaves the account page as it was: %s', async (_when, status, said, happens) => {
    const { browser } = await signedIn(server)
    await browser.visit(CONNECTIONS)
    await happens()
    const gone = await browser.submit(`${CONNECTIONS}/acme/connect`)
    const back = gone.isForeign && (await op.authorize(gone.url))
    const page = back ? await browser.visit(back, FROM_ELSEWHERE) : gone
    expect([page.status, page.h1]).toEqual([status, 'Sign-in elsewhere'])
    expect(page.words).toContain(said)
  })

  it('is not asked when a sign-in page is shown', async () => {
    await op[Symbol.asyncDispose]()
    const browser = await atLogin(server)
    expect(browser.page.words).toContain('Continue with Acme')
    expect(op.site.asked).toEqual([])
    await op.site.listen()
  })
})
