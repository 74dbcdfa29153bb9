import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { addresses } from '../security/attacks.ts'
import { Browser, type Page } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { comeBy, somebody } from '../support/upstream/coming.ts'
import { HOSTILE_CLIENT, HostileOp } from '../support/upstream/hostile-op.ts'
import { createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'

const elsewhere = addresses()

/** What an observer sees, less what is random for everybody. */
function seen(page: Page, email: string) {
  const blur = (text: string) =>
    text
      .replaceAll(email, 'EMAIL')
      .replace(/(\/interaction\/)[\w-]+/g, '$1UID')
      .replace(/nonce(?:=|-)"?[\w-]+/g, 'NONCE')
      .replace(/name="_csrf" value="[\w-]+"/g, 'CSRF')
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'ID')
  const headers = [...page.response.headers]
    .filter(([name]) => !['date', 'x-request-id', 'set-cookie', 'etag'].includes(name))
    .map(([name, value]) => `${name}: ${blur(value)}`)
  return { status: page.status, path: blur(page.url.pathname), headers, body: blur(page.text) }
}

describe('what a sign-in page offers, and what it does not tell', () => {
  let server: TestServer
  let op: HostileOp
  beforeAll(async () => {
    op = await HostileOp.open()
    server = await startServer({ outgoing: TO_LOOPBACK, config: { trustedProxyHops: 1 } })
    await createProvider(server, { issuer: op.issuer, client: HOSTILE_CLIENT })
    await createProvider(server, {
      id: 'staff',
      name: 'Staff',
      issuer: op.issuer,
      client: HOSTILE_CLIENT,
      position: 1,
    })
  })
  beforeEach(() => {
    op.person = somebody()
  })
  afterAll(async () => {
    await server.stop()
    await op[Symbol.asyncDispose]()
  })
  const browse = () => new Browser(server.origin, { headers: elsewhere() })

  it('UP-05 an app offers the providers that it names, and no other can be used for it', async () => {
    const party = await relyingParty(server, { providers: ['staff'] })
    const browser = browse()
    const page = await browser.visit(party.authorizationUrl())
    expect(page.words).toContain('Continue with Staff')
    expect(page.words).not.toContain('Continue with Acme')
    const form = page.form('/upstream/staff')
    const forged = form.action.pathname.replace('/staff', '/acme')
    const csrf = form.fields.find(({ name }) => name === '_csrf')?.value ?? ''
    expect((await browser.copy().post(forged, { _csrf: csrf })).status).toBe(404)

    const none = await relyingParty(server, { providers: [] })
    expect((await browse().visit(none.authorizationUrl())).words).not.toContain('Continue with')
  })

  it('EN-01 who comes with an address that nobody vouches for sees the same, whether or not it has an account', async () => {
    const sights: ReturnType<typeof seen>[] = []
    for (const email of ['known.person@example.org', 'nobody.known@example.org']) {
      if (email.startsWith('known')) await createAccount(server, { email })
      op.person = { ...somebody(), email, email_verified: true }
      const browser = browse()
      await browser.visit('/account')
      sights.push(seen(await comeBy(browser, op), email))
      sights.push(seen(await browser.submit('/arrival-code', { code: '000000' }), email))
      sights.push(seen(await browser.submit('/arrival-code/resend'), email))
      const mail = await server.inbox.next(email)
      expect(mail.subject).toMatch(/is your Gatehouse code$/)
    }
    expect(sights.slice(0, 3)).toEqual(sights.slice(3))
    expect(sights.map(({ status }) => status)).toEqual([200, 400, 200, 200, 400, 200])
  })

  it('EN-02 the same statements are made for both', async () => {
    const counted: number[] = []
    for (const email of ['second.known@example.org', 'second.nobody@example.org']) {
      if (email.startsWith('second.known')) await createAccount(server, { email })
      op.person = { ...somebody(), email }
      const browser = browse()
      await browser.visit('/account')
      const { pool } = server.context.database
      const query = pool.query.bind(pool)
      let count = 0
      pool.query = ((...args: Parameters<typeof query>) => {
        // Messages are delivered after the answer, whenever that is.
        if (!JSON.stringify(args[0]).includes('outbox')) count += 1
        return query(...args)
      }) as typeof pool.query
      await comeBy(browser, op)
      pool.query = query
      counted.push(count)
    }
    expect(counted[0]).toBe(counted[1])
    expect(counted[0]).toBeGreaterThan(3)
  })
})
