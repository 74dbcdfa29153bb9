import { beforeAll, describe, expect, it } from '@jest/globals'
import type { CanonicalEmail } from '../../src/accounts/canonical-email.ts'
import { Account } from '../../src/entities/index.ts'
import { Browser } from '../support/browser.ts'
import { INVITE_ONLY, openInvitation, usesOf } from '../support/invitations.ts'
import { comeBy, somebody } from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

describe('who comes by a provider with an invitation', () => {
  const server = useServer({ outgoing: TO_LOOPBACK, config: { registration: INVITE_ONLY } })
  const op = HostileOp.use()
  beforeAll(async () => {
    await createProvider(server, {
      issuer: op.issuer,
      settings: { emailTrust: 'claim' },
    })
  })

  const find = (email: string) => server.context.database.em.fork().findOne(Account, { email })

  /** A browser that has opened an invitation, at the sign-in page. */
  async function invited(email?: string): Promise<{ browser: Browser; id: string }> {
    const { id, link } = await server.context.invitations.create({
      email: email as CanonicalEmail | undefined,
      isMailed: false,
      seconds: 3600,
    })
    return { browser: await openInvitation(server, link), id }
  }
  function arriving(claims: HostileOp['person'] = {}): string {
    op.person = somebody(claims)
    return String(op.person['email'])
  }

  it('gets an account at the address that was invited, once', async () => {
    const email = arriving({ email_verified: true })
    const { browser, id } = await invited(email)
    const page = await comeBy(browser, op)
    expect([page.status, page.url.pathname]).toEqual([200, '/account'])
    expect([await find(email), await usesOf(server, id)]).toEqual([
      expect.objectContaining({ isInvited: true }),
      1,
    ])
    await server.context.audit.flush()
    const { rows } = await server.context.database.pool.query(
      `select "account_id" from "audit_event" where "type" = 'invitation_accepted' and "detail"->>'invitation' = $1`,
      [id],
    )
    expect(rows).toHaveLength(1)
    const second = arriving({ email_verified: true })
    await browser.visit('/account')
    expect(await find(second)).toBeNull()
  })

  it('is told that it is for another address, and spends nothing', async () => {
    const { browser, id } = await invited('ada@corp.example')
    const email = arriving({ email_verified: true })
    const page = await comeBy(browser, op)
    expect([page.status, page.words.includes('Your invitation is not for the address')]).toEqual([
      400,
      true,
    ])
    expect([await find(email), await find('ada@corp.example'), await usesOf(server, id)]).toEqual([
      null,
      null,
      0,
    ])
  })

  it('proves an address that the provider does not vouch for by a code', async () => {
    const email = arriving({ email_verified: false })
    const { browser, id } = await invited(email)
    await comeBy(browser, op)
    expect(await find(email)).toBeNull()
    const code = await server.inbox.code(email)
    const page = await browser.submit('/arrival-code', { code })
    expect(page.url.pathname).toBe('/account')
    expect(await usesOf(server, id)).toBe(1)
  })

  it('gets no code to an address that was not invited', async () => {
    const { browser, id } = await invited('bob@corp.example')
    const email = arriving({ email_verified: false })
    const page = await comeBy(browser, op)
    expect(page.url.pathname).toMatch(/\/arrival-code$/)
    expect(await server.inbox.mails(email)).toEqual([])
    expect(await usesOf(server, id)).toBe(0)
  })

  it('gets none without it, or once it was taken back', async () => {
    const stranger = new Browser(server.origin)
    await stranger.visit('/account')
    const email = arriving({ email_verified: true })
    expect((await comeBy(stranger, op)).status).toBe(403)
    const { browser, id } = await invited()
    await server.context.invitations.revoke(id)
    await browser.visit('/account')
    expect((await comeBy(browser, op)).status).toBe(403)
    expect(await find(email)).toBeNull()
  })

  it.each([
    ['a code', { email_verified: false }],
    ['a name', { email_verified: true, name: undefined }],
  ] as const)(
    'is told on the sign-in page if it was taken back before %s',
    async (_what, claims) => {
      const email = arriving(claims)
      const { browser, id } = await invited(email)
      const page = await comeBy(browser, op)
      await server.context.invitations.revoke(id)
      const refused = page.url.pathname.endsWith('/arrival-code')
        ? await browser.submit('/arrival-code', { code: await server.inbox.code(email) })
        : await browser.submit('/arrival', { name: 'Grace' })
      expect([refused.status, refused.step]).toEqual([403, 'login'])
      expect(refused.words).toContain('no account can be opened with it')
      expect(await find(email)).toBeNull()
    },
  )
})
