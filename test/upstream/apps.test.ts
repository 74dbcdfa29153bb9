import { beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { api, isAlive, totp } from '../support/api.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount } from '../support/factories.ts'
import { csrfOf } from '../support/forms.ts'
import { enableMfa } from '../support/people.ts'
import { ApiApp, NATIVE } from '../support/upstream/api-app.ts'
import { FROM_ELSEWHERE, honestBefore, somebody } from '../support/upstream/coming.ts'
import { HOSTILE_CLIENT, HostileOp } from '../support/upstream/hostile-op.ts'
import { createIdentity, createTrusted } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

describe('people of an app with its own screens, by a provider', () => {
  const server = useServer({ outgoing: TO_LOOPBACK, config: { trustedProxyHops: 1 } })
  const op = HostileOp.use()
  honestBefore(op, { email_verified: true })
  let app: ApiApp

  beforeAll(async () => {
    await createTrusted(server, op, { acme: false, trusted: true })
    app = await ApiApp.register(server)
  })

  /** An account that the person of the provider opens. */
  async function known(provider = 'acme') {
    const account = await createAccount(server)
    await createIdentity(server, account.id, op, provider)
    return account
  }
  const come = (by = app) => by.come(op)
  const sessionsBy = async (accountId: string): Promise<unknown[]> =>
    (
      await server.context.database.pool.query(
        'select provider_id, upstream_sid, door from session where account_id = $1',
        [accountId],
      )
    ).rows

  it('whom the provider’s word is known of is signed in, with the code and the verifier', async () => {
    const account = await known()
    op.lies = { claims: { sid: 'there' } }
    const page = await come()
    expect([page.isForeign, page.url.origin + page.url.pathname]).toEqual([true, app.redirectUri])
    expect(Object.fromEntries(page.url.searchParams)).toEqual({
      code: expect.stringMatching(/^[\w.-]{60,128}$/),
      state: 'of the app',
    })
    const { status, body } = await app.redeem(page.url.searchParams.get('code') ?? '')
    expect([status, body.user.id]).toEqual([200, account.id])
    expect(decodeJwt(body.access_token)).toMatchObject({ sub: account.id, scope: 'account' })
    expect(await sessionsBy(account.id)).toEqual([
      { provider_id: 'acme', upstream_sid: 'there', door: 'api' },
    ])
  })

  it('UP-13 an app on the device has to be allowed to have the sign-in, by the person who is shown', async () => {
    const native = await ApiApp.native(server)
    const account = await known()
    for (const button of ['deny', 'allow'] as const) {
      const browser = await native.open()
      const asked = await browser.visit(await op.authorize(browser.page.url), FROM_ELSEWHERE)
      expect([asked.isForeign, asked.status]).toEqual([false, 200])
      expect(asked.words).toContain('asks for access')
      expect(asked.words).toContain(account.email)
      expect(asked.words).toContain('org.example.plants:')
      const page = await browser.submit(0, {}, { button })
      const answer = Object.fromEntries(page.url.searchParams)
      expect(page.url.href.startsWith(NATIVE)).toBe(true)
      if (button === 'deny') expect(answer).toEqual({ error: 'access_denied', state: 'of the app' })
      else expect((await native.redeem(answer['code'] ?? '')).status).toBe(200)
    }
  })

  it('SE-11 nobody else presses that button: not another site, and not another browser', async () => {
    const native = await ApiApp.native(server)
    await known()
    const browser = await native.open()
    const asked = await browser.visit(await op.authorize(browser.page.url), FROM_ELSEWHERE)
    const { pathname } = asked.url
    const form = Object.fromEntries(asked.form(0).fields.map(({ name, value }) => [name, value]))
    const foreign = await browser
      .copy()
      .post(pathname, { ...form, decision: 'allow' }, { headers: FROM_ELSEWHERE })
    expect(foreign.status).toBe(403)
    const stranger = await native.open()
    await stranger.visit('/login')
    const stolen = await stranger.post(pathname, {
      ...form,
      _csrf: csrfOf(stranger.page.form('/login')),
      decision: 'allow',
    })
    expect([stolen.isForeign, stolen.status]).toEqual([false, 400])
    expect((await browser.submit(0, {}, { button: 'allow' })).isForeign).toBe(true)
  })

  it.each([
    ['nobody here', {}],
    ['somebody with an account of that address', { hasAccount: true }],
    ['somebody of an address that is not proven', { email_verified: false }],
  ])(
    'a first meeting takes the hosted pages: %s',
    async (_name, {
      hasAccount,
      ...claims
    }: {
      hasAccount?: boolean
      email_verified?: boolean
    }) => {
      op.person = somebody({ email_verified: true, ...claims })
      if (hasAccount) await createAccount(server, { email: String(op.person['email']) })
      const page = await come()
      expect(Object.fromEntries(page.url.searchParams)).toEqual({
        error: 'interaction_required',
        state: 'of the app',
      })
      const { rows } = await server.context.database.pool.query(
        'select from identity where subject = $1',
        [op.person['sub']],
      )
      expect(rows).toEqual([])
    },
  )

  it('TF-06 an account with two steps is asked for the second, and the session knows the provider', async () => {
    const account = await known()
    const { secret } = await enableMfa(server, account)
    op.lies = { claims: { sid: 'with two' } }
    const refused = await app.redeem(await app.code(op))
    expect([refused.status, refused.body]).toEqual([
      401,
      expect.objectContaining({ error: 'mfa_required', methods: ['totp', 'recovery'] }),
    ])
    const { token } = refused.body
    const { status } = await api(server, 'POST /sign-in/email', { token, code: await totp(secret) })
    expect(status).toBe(200)
    expect(await sessionsBy(account.id)).toEqual([
      { provider_id: 'acme', upstream_sid: 'with two', door: 'api' },
    ])
  })

  it('TF-10 two factors of a provider that is trusted do for both', async () => {
    const account = await known('trusted')
    await enableMfa(server, account)
    op.lies = { claims: { amr: ['pwd', 'otp', 'mfa'] } }
    const browser = await app.open()
    await browser.visit(await app.url('trusted'), FROM_ELSEWHERE)
    const page = await browser.visit(await op.authorize(browser.page.url), FROM_ELSEWHERE)
    expect((await app.redeem(page.url.searchParams.get('code') ?? '')).status).toBe(200)
  })

  it('a sign-out over there ends the session of the app', async () => {
    await known()
    op.lies = { claims: { sid: 'over' } }
    const { body } = await app.redeem(await app.code(op))
    expect(await isAlive(server, body.access_token)).toBe(true)
    const now = Math.floor(Date.now() / 1000)
    const token = await op.sign(
      {
        iss: op.issuer,
        aud: HOSTILE_CLIENT.id,
        iat: now,
        exp: now + 60,
        jti: 'over',
        sid: 'over',
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      },
      'own',
      'logout+jwt',
    )
    const told = await fetch(`${server.origin}/upstream/acme/backchannel-logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    })
    expect(told.status).toBe(200)
    await eventually(() => isAlive(server, body.access_token), false)
  })

  it.each([
    ['access_denied', { code: undefined, error: 'access_denied' }],
    ['server_error', { iss: 'https://evil.example' }],
  ])('the app is told by the words of OAuth: %s', async (error, callback) => {
    op.lies = { callback }
    expect(Object.fromEntries((await come()).url.searchParams)).toEqual({
      error,
      state: 'of the app',
    })
  })

  it('a provider that is away is temporarily_unavailable', async () => {
    await known()
    op.lies = { token: { status: 503 } }
    expect((await come()).url.searchParams.get('error')).toBe('temporarily_unavailable')
  })
})
