import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { ACR } from '../../src/accounts/factors/levels.ts'
import { addresses } from '../security/attacks.ts'
import { Browser } from '../support/browser.ts'
import { sqlOf } from '../support/database.ts'
import { createAccount } from '../support/factories.ts'
import { codeOf, enableMfa, enter, forgetStep } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { comeBy, somebody } from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { createTrusted } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'

const elsewhere = addresses()

describe('UP-02 what is under way while somebody comes by a provider', () => {
  let server: TestServer
  let op: HostileOp
  let other: HostileOp

  beforeAll(async () => {
    ;[op, other] = await Promise.all([HostileOp.open(), HostileOp.open()])
    server = await startServer({
      outgoing: TO_LOOPBACK,
      config: { trustedProxyHops: 1 },
      signIn: { methods: ['password', 'passkey', 'email-code'] },
    })
    await createTrusted(server, op, { acme: false })
    await createTrusted(server, other, { other: false, trusted: true })
  })
  beforeEach(() => {
    other.lies = {}
  })
  afterAll(async () => {
    await server.stop()
    await op[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
  })

  /** Whom `other` says they are, connected with an account already. */
  async function known() {
    const account = await createAccount(server)
    other.person = somebody({ sid: `sid of ${account.id}` })
    for (const id of ['other', 'trusted'])
      await server.context.database.pool.query(
        `insert into identity (id, account_id, provider_id, issuer, subject, linked_at, linked_by)
         values (gen_random_uuid(), $1, $2, $3, $4, now(), 'link')`,
        [account.id, id, other.issuer, other.person['sub']],
      )
    return account
  }
  const cameBy = async (accountId: string) =>
    (
      await server.context.database.pool.query(
        'select provider_id as by, upstream_sid as sid from session where account_id = $1',
        [accountId],
      )
    ).rows
  const browse = () => new Browser(server.origin, { headers: elsewhere() })

  it('a code by mail that was asked for before does not come in between', async () => {
    const browser = browse()
    await browser.visit('/account')
    op.person = somebody({ email_verified: false })
    const form = browser.page.form('/login')
    const action = new URL(form.action.href.replace('/login', '/send-code'))
    await browser.submit({ ...form, action }, { username: String(op.person['email']) })
    expect(browser.page.url.pathname).toMatch(/\/email-code$/)
    await browser.follow(browser.page.url.pathname.replace('email-code', 'login'))
    await comeBy(browser, op)
    expect(browser.page.url.pathname).toMatch(/\/arrival-code$/)
  })

  it('nor does a passkey that is offered', async () => {
    const account = await createAccount(server)
    const browser = browse()
    await browser.visit('/account')
    const { username, password } = { username: account.email, password: account.password }
    await browser.submit('/login', { username, password, passkeys: '1' })
    expect(browser.page.url.pathname).toMatch(/\/passkey-offer$/)
    await browser.follow(browser.page.url.pathname.replace('passkey-offer', 'login'))
    op.person = somebody({ email_verified: false })
    await comeBy(browser, op)
    expect(browser.page.url.pathname).toMatch(/\/arrival-code$/)
  })

  it('who sets a second factor up on the way still came by the provider', async () => {
    const account = await known()
    const party = await relyingParty(server, { firstParty: true, requireMfa: true })
    const browser = browse()
    await browser.visit(party.authorizationUrl())
    await comeBy(browser, other, 'other')
    expect(browser.page.step).toBe('mfa-enrol')
    const { secret = '' } = (await server.context.mfa.pendingEnrolment(account)) ?? {}
    await browser.submit('/mfa-enrol', { code: await codeOf(secret) })
    await browser.submit('/recovery-codes')
    expect(browser.page.step).toBe('app')
    expect(await cameBy(account.id)).toEqual([{ by: 'other', sid: other.person['sid'] }])
  })

  it('who connects one provider still came by the other', async () => {
    const account = await known()
    const { code } = await enableMfa(server, account)
    op.person = somebody({ email: account.email, email_verified: true })
    const browser = browse()
    await browser.visit('/account')
    await comeBy(browser, op)
    await comeBy(browser, other, 'other')
    await browser.submit('/mfa', { code: await code() })
    await browser.submit('/connect', {}, { button: 'connect' })
    expect([browser.page.status, browser.page.url.pathname]).toEqual([200, '/account'])
    expect(await cameBy(account.id)).toEqual([{ by: 'other', sid: other.person['sid'] }])
  })

  it('and with the two factors that it was trusted to bring', async () => {
    const account = await known()
    await enableMfa(server, account)
    await forgetStep(server, account.id)
    op.person = somebody({ email: account.email, email_verified: true })
    other.lies = { claims: { amr: ['pwd', 'otp', 'mfa'] } }
    const browser = browse()
    await browser.visit('/account')
    await comeBy(browser, op)
    await comeBy(browser, other, 'trusted')
    await browser.submit('/connect', {}, { button: 'connect' })
    expect([browser.page.status, browser.page.url.pathname]).toEqual([200, '/account'])
    expect(await cameBy(account.id)).toEqual([{ by: 'trusted', sid: other.person['sid'] }])
  })

  it('who signs in with a password did not come by the provider', async () => {
    const account = await createAccount(server)
    op.person = somebody({ email: account.email, email_verified: true })
    const browser = browse()
    await browser.visit('/account')
    await comeBy(browser, op)
    await enter(browser, account)
    await browser.submit('/connect', {}, { button: 'connect' })
    expect(browser.page.url.pathname).toBe('/account')
    expect(await cameBy(account.id)).toEqual([{ by: null, sid: null }])
  })

  it('nor does somebody else who signs in with one where a trusted provider was come by', async () => {
    await known()
    other.lies = { claims: { amr: ['pwd', 'otp', 'mfa'] } }
    const account = await createAccount(server)
    const party = await relyingParty(server)
    const browser = browse()
    await browser.visit(party.authorizationUrl())
    await comeBy(browser, other, 'trusted')
    expect(browser.page.step).toBe('consent')
    await browser.submit('/switch-account')
    await browser.submit('/select-account', {}, { button: 'other' })
    await enter(browser, account)
    await browser.submit('/consent', {}, { button: 'allow' })
    const claims = (await party.redeem(browser.page.url)).claims()
    expect([claims?.acr, claims?.['amr'], claims?.['idp']]).toEqual([
      ACR.singleFactor,
      ['pwd'],
      undefined,
    ])
    expect(
      await sqlOf(server)(
        'select provider_id as by, brought_two as two, idp from session where account_id = $1',
        [account.id],
      ),
    ).toEqual([{ by: null, two: false, idp: null }])
  })
})
