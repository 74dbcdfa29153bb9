import { beforeAll, describe, expect, it } from '@jest/globals'
import type { CanonicalEmail } from '../../src/accounts/canonical-email.ts'
import { Account, PendingSignUp } from '../../src/entities/index.ts'
import { api } from '../support/api.ts'
import { PASSWORD } from '../support/factories.ts'
import { browse, comeBy, FROM_ELSEWHERE } from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { changeProvider, createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

describe('sign-up with an address whose people sign in elsewhere', () => {
  const server = useServer({ outgoing: TO_LOOPBACK, config: { trustedProxyHops: 1 } })
  const op = HostileOp.use()
  const other = HostileOp.use()
  const enforced = { domains: ['corp.example'], emailTrust: 'domains', enforceForDomains: true }

  beforeAll(async () => {
    await createProvider(server, { issuer: op.issuer, settings: enforced })
    const claim = { emailTrust: 'claim' }
    await createProvider(server, { id: 'other', issuer: other.issuer, settings: claim })
  })

  let people = 0
  const somebody = () => `p${++people}@corp.example` as CanonicalEmail
  const wanted = (email: string) => ({ name: 'Grace Hopper', email, password: PASSWORD })
  const em = () => server.context.database.em.fork()
  const left = async (email: string) => [
    await em().count(Account, { email }),
    await em().count(PendingSignUp, { email }),
    (await server.inbox.mails(email)).length,
  ]
  const ELSEWHERE = { status: 403, body: { error: 'method_not_offered' } }

  it('leads to the provider, whatever else was typed, and makes the account there', async () => {
    const email = somebody()
    for (const typed of [wanted(email), { name: '', email: email.toUpperCase(), password: 'x' }]) {
      const browser = browse(server)
      await browser.visit('/signup')
      const away = await browser.submit('/sign-up', typed)
      expect([away.isForeign, away.url.origin]).toEqual([true, op.issuer])
      expect(away.url.searchParams.get('login_hint')).toBe(typed.email)
      expect(await left(email)).toEqual([0, 0, 0])
    }
    op.person = { sub: email, email, email_verified: true, name: 'Grace Hopper' }
    const browser = browse(server)
    await browser.visit('/signup')
    const { url } = await browser.submit('/sign-up', wanted(email))
    const page = await browser.visit(await op.authorize(url), FROM_ELSEWHERE)
    expect([page.status, page.url.pathname]).toEqual([200, '/account'])
    expect(await em().count(Account, { email, passwordHash: null })).toBe(1)
  })

  it('leads there with an invitation, which counts there', async () => {
    const email = somebody()
    await server.context.invitations.create({ email, isMailed: true, seconds: 3600 })
    const link = await server.inbox.link(email, '/invitation')
    const browser = browse(server)
    await browser.visit(`${link.pathname}${link.search}`)
    await browser.submit('/invitation')
    const away = await browser.submit('/sign-up', wanted(email))
    expect([away.isForeign, await left(email)]).toEqual([true, [0, 0, 1]])
    op.person = { sub: email, email, email_verified: true, name: 'Grace Hopper' }
    await browser.visit(await op.authorize(away.url), FROM_ELSEWHERE)
    const made = { email, isInvited: true, passwordHash: null }
    expect(await em().count(Account, made)).toBe(1)
  })

  it('is refused at the account API, with an invitation or without', async () => {
    const email = somebody()
    expect(await api(server, 'POST /sign-up/email', wanted(email))).toMatchObject(ELSEWHERE)
    const made = { email, isMailed: false, seconds: 3600 }
    const { link } = await server.context.invitations.create(made)
    const invitation = new URL(link ?? '').searchParams.get('token')
    const body = { ...wanted(email), invitation }
    expect(await api(server, 'POST /sign-up/invited', body)).toMatchObject(ELSEWHERE)
    expect(await left(email)).toEqual([0, 0, 0])
  })

  it('is not finished once the domain is enforced', async () => {
    const [byCode, byLink] = [somebody(), somebody()]
    await changeProvider(server, 'acme', { settings: { ...enforced, enforceForDomains: false } })
    const { body } = await api(server, 'POST /sign-up/email', wanted(byCode))
    await api(server, 'POST /sign-up/email', wanted(byLink))
    const code = await server.inbox.code(byCode)
    const { pathname, search } = await server.inbox.link(byLink, '/verify-email')
    await changeProvider(server, 'acme', { settings: enforced })
    const { userId, tokenId } = body
    const typed = { userId, tokenId, email: byCode, code }
    expect(await api(server, 'POST /verify/email', typed)).toMatchObject(ELSEWHERE)
    const browser = browse(server)
    await browser.visit(`${pathname}${search}`)
    const page = await browser.submit('/verify-email', { password: PASSWORD })
    expect([page.status, page.words.includes('not offered here')]).toEqual([403, true])
    for (const email of [byCode, byLink]) expect(await em().count(Account, { email })).toBe(0)
  })

  it('has no other provider for it', async () => {
    const email = somebody()
    other.person = { sub: email, email, email_verified: true, name: 'Grace Hopper' }
    const browser = browse(server)
    await browser.visit('/account')
    const page = await comeBy(browser, other, 'other')
    expect([page.status, page.step, await left(email)]).toEqual([403, 'login', [0, 0, 0]])
    expect(page.words).toContain('no account can be opened with it')
    const stranger = { sub: 'x', email: 'x@example.org', email_verified: true, name: 'Grace' }
    other.person = stranger
    await browser.visit('/account')
    expect((await comeBy(browser, other, 'other')).url.pathname).toBe('/account')
  })
})
