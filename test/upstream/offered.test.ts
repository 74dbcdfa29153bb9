import { beforeAll, describe, expect, it } from '@jest/globals'
import { createAccount } from '../support/factories.ts'
import { csrfOf } from '../support/forms.ts'
import { relyingParty } from '../support/relying-party.ts'
import { seen } from '../support/seen.ts'
import { atLogin, browse, comeBy, honestBefore, somebody } from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

describe('what a sign-in page offers, and what it does not tell', () => {
  const server = useServer({ outgoing: TO_LOOPBACK, config: { trustedProxyHops: 1 } })
  const op = HostileOp.use()
  honestBefore(op)
  beforeAll(async () => {
    await createProvider(server, { issuer: op.issuer })
    await createProvider(server, {
      id: 'staff',
      name: 'Staff',
      issuer: op.issuer,
      position: 1,
    })
  })

  it('UP-05 an app offers the providers that it names, and no other can be used for it', async () => {
    const party = await relyingParty(server, { providers: ['staff'] })
    const browser = browse(server)
    const page = await browser.visit(party.authorizationUrl())
    expect(page.words).toContain('Continue with Staff')
    expect(page.words).not.toContain('Continue with Acme')
    const form = page.form('/upstream/staff')
    const forged = form.action.pathname.replace('/staff', '/acme')
    const csrf = csrfOf(form)
    expect((await browser.copy().post(forged, { _csrf: csrf })).status).toBe(404)

    const none = await relyingParty(server, { providers: [] })
    expect((await browse(server).visit(none.authorizationUrl())).words).not.toContain(
      'Continue with',
    )
  })

  it('EN-01 who comes with an address that nobody vouches for sees the same, whether or not it has an account', async () => {
    const sights: ReturnType<typeof seen>[] = []
    for (const email of ['known.person@example.org', 'nobody.known@example.org']) {
      if (email.startsWith('known')) await createAccount(server, { email })
      op.person = { ...somebody(), email, email_verified: true }
      const browser = await atLogin(server)
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
      const browser = await atLogin(server)
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
