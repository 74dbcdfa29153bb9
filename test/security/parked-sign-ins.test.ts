import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { api, signIn } from '../support/api.ts'
import { Authenticator } from '../support/authenticator.ts'
import { Browser } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { givePasskey, makePasskey } from '../support/passkeys.ts'
import { type Account, codeOf, enableMfa, ORIGIN } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { comeBy, somebody } from '../support/upstream/coming.ts'
import { HOSTILE_CLIENT, HostileOp } from '../support/upstream/hostile-op.ts'
import { createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { addresses } from './attacks.ts'

/** Somebody with the password alone stops between two pages; meanwhile the owner adds a factor. */
describe('a sign-in that waits at a page while its account becomes one of two factors', () => {
  const elsewhere = addresses()
  let server: TestServer
  let op: HostileOp
  beforeAll(async () => {
    op = await HostileOp.open()
    server = await startServer({ outgoing: TO_LOOPBACK, config: { trustedProxyHops: 1 } })
    const settings = { emailTrust: 'claim' }
    await createProvider(server, { issuer: op.issuer, client: HOSTILE_CLIENT, settings })
  })
  afterAll(async () => {
    await server.stop()
    await op[Symbol.asyncDispose]()
  })

  const visitor = () => new Browser(server.origin, { headers: elsewhere() })
  const has = async ({ id }: Account) => ({
    sessions: (await server.context.sessions.list(id)).length,
    passkeys: (await server.context.passkeys.list(id)).length,
    identities: (await server.context.identities.list(id)).length,
  })
  const NOTHING = { sessions: 0, passkeys: 0, identities: 0 }

  async function atOffer(account: Account): Promise<Browser> {
    const browser = visitor()
    await browser.visit('/account')
    await browser.submit('/login', {
      username: account.email,
      password: account.password,
      passkeys: '1',
    })
    expect(browser.page.url.pathname).toMatch(/passkey-offer$/)
    return browser
  }

  async function atConnect(account: Account): Promise<Browser> {
    op.person = somebody({ email: account.email, email_verified: true })
    const browser = visitor()
    await browser.visit('/account')
    await comeBy(browser, op)
    await browser.submit('/login', { username: account.email, password: account.password })
    expect(browser.page.url.pathname).toMatch(/connect$/)
    return browser
  }

  it('PK-06 adds no passkey, and is asked to sign in anew', async () => {
    const account = await createAccount(server)
    const thief = await atOffer(account)
    await enableMfa(server, account)
    expect((await makePasskey(thief)).step).toBe('login')
    expect(await has(account)).toEqual(NOTHING)
  })

  it('PK-06 is not signed in by "not now" either', async () => {
    const account = await createAccount(server)
    const thief = await atOffer(account)
    await enableMfa(server, account)
    expect((await thief.submit('/decline')).step).toBe('login')
    expect(await has(account)).toEqual(NOTHING)
  })

  it('UP-02 connects nothing, and signs nobody in', async () => {
    for (const decision of ['connect', 'skip']) {
      const account = await createAccount(server)
      const thief = await atConnect(account)
      await enableMfa(server, account)
      expect((await thief.submit('/connect', {}, { button: decision })).step).toBe('login')
      expect(await has(account)).toEqual(NOTHING)
    }
  })

  it('TF-11 sets up no authenticator app where the owner has a passkey now', async () => {
    const account = await createAccount(server)
    const app = await relyingParty(server, { firstParty: true, requireAcr: '2fa' })
    const thief = visitor()
    await thief.visit(app.authorizationUrl())
    await thief.submit('/login', { username: account.email, password: account.password })
    expect(thief.page.url.pathname).toMatch(/mfa-enrol$/)
    const pending = await server.context.mfa.pendingEnrolment(account)
    await givePasskey(server, account)
    await thief.submit('/mfa-enrol', { code: await codeOf(pending?.secret ?? '') })
    expect(thief.page.step).toBe('login')
    const { mfaEnabled } = await server.context.administration.find(account.id)
    expect([mfaEnabled, await has(account)]).toEqual([false, { ...NOTHING, passkeys: 1 }])
  })

  it('PK-06 TF-11 ends at the account API as well: the second factor is asked for', async () => {
    const account = await createAccount(server)
    const { password } = account
    const { token } = await signIn(server, account)
    const begun = await api(server, 'POST /passkeys/options', { password }, { token })
    const enabling = await api(server, 'POST /enable/mfa', { password }, { token })
    await givePasskey(server, account)
    const made = new Authenticator(server.origin).register(begun.body.publicKey)
    const tries = [
      ['POST /passkeys', { token: begun.body.token, credential: made }],
      [
        'POST /enable/mfa',
        { token: enabling.body.token, code: await codeOf(enabling.body.secret) },
      ],
    ] as const
    for (const [route, body] of tries) {
      const answer = await api(server, route, body, { token })
      expect([answer.status, answer.body.error]).toEqual([403, 'reauthentication_required'])
    }
    expect((await has(account)).passkeys).toBe(1)
  })

  it('PK-06 UP-02 TF-11 is refused under the lock of the account as well', async () => {
    const account = await createAccount(server)
    const { passkeys, mfa } = server.context
    const { id: enrolmentId, secret } = await mfa.enrol(account)
    const binding = 'test'
    const { credentialVersion } = await server.context.administration.find(account.id)
    const shown = { accountId: account.id, credentialVersion, hasSecondStep: false }
    const options = await passkeys.creationOptions(account, binding)
    await givePasskey(server, account)
    const made = {
      accountId: account.id,
      credential: new Authenticator(server.origin).register(options),
      binding,
      purpose: 'passkey',
      shown,
    } as const
    const refused = { code: 'invalid_credentials' }
    await expect(passkeys.register(made, ORIGIN)).rejects.toMatchObject(refused)
    const typed = { accountId: account.id, enrolmentId, code: await codeOf(secret) }
    await expect(mfa.confirm(typed, ORIGIN, { shown })).rejects.toMatchObject(refused)
    expect((await has(account)).passkeys).toBe(1)
  })
})
