import { createServer as createPlainServer } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import type { Config } from '../../src/config/config.ts'
import { CAPS } from '../../src/config/limits.ts'
import type { ManagedBy } from '../../src/entities/client.ts'
import { api, signIn } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from '../support/loopback-certificate.ts'
import { storeOddClient } from '../support/odd-clients.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

type Mood = 200 | 204 | 400 | 500 | 302 | 'slow' | 'hang'

const LOOPBACK = { privateNetworks: [], loopback: true }
const NOTHING = { privateNetworks: [], loopback: false }
interface Receiving {
  readonly isHttpSaid: boolean
  readonly mood: 200 | 302
}

/** Whoever waited for an app that hangs would wait longer than this. */
const APP_MAY_TAKE_MS = 2400

/** The logout addresses of apps: one path each, with the mood in its name. */
class Receiver implements AsyncDisposable {
  readonly tokens: { path: string; token: string; contentType: string | undefined }[] = []
  readonly moods = new Map<string, Mood>()
  readonly #server = createServer(
    { key: LOOPBACK_KEY, cert: LOOPBACK_CERTIFICATE },
    (request, response) => {
      let text = ''
      request.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8')
      })
      request.on('end', () => {
        const path = request.url ?? ''
        this.tokens.push({
          path,
          token: new URLSearchParams(text).get('logout_token') ?? '',
          contentType: request.headers['content-type'],
        })
        const mood = this.moods.get(path) ?? 200
        if (mood === 'hang') return
        const answer = () =>
          response
            .writeHead(mood === 'slow' ? 200 : mood, mood === 302 ? { location: '/elsewhere' } : {})
            .end()
        if (mood === 'slow') setTimeout(answer, 1000)
        else answer()
      })
    },
  )

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  uri(path: string): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}${path}`
  }

  at(path: string): string[] {
    return this.tokens.filter((each) => each.path === path).map(({ token }) => token)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

describe('back-channel logout', () => {
  const receiver = new Receiver()
  let server: TestServer
  let count = 0

  beforeAll(async () => {
    await receiver.listen()
    server = await startServer({
      config: { trustedProxyHops: 1 },
      outgoing: { isAllowed: () => true, ca: LOOPBACK_CERTIFICATE },
    })
  })
  afterAll(async () => {
    await server.stop()
    await receiver[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    await server.context.database.pool.query(`delete from outbox_message`)
    receiver.tokens.length = 0
  })

  /** An app with a logout address of its own. */
  async function newApp(mood: Mood = 200): Promise<RelyingParty & { path: string }> {
    const path = `/logout/${++count}`
    receiver.moods.set(path, mood)
    const metadata = {
      backchannel_logout_uri: receiver.uri(path),
      backchannel_logout_session_required: true,
    }
    const client = await storeOddClient(server, 'its server is on loopback', {
      firstParty: true,
      metadata,
    })
    return Object.assign(await relyingParty(server, client), { path })
  }

  /** Signs in to an app, in a browser that may be signed in already. */
  async function enter(
    app: RelyingParty,
    account: { email: string },
    browser = new Browser(server.origin),
  ) {
    let page = await browser.visit(app.authorizationUrl({ scope: 'openid' }))
    if (!page.isForeign)
      page = await browser.submit('/login', { username: account.email, password: PASSWORD })
    const tokens = await app.redeem(page.url)
    return { browser, idToken: tokens.id_token ?? '', sid: tokens.claims()?.['sid'] as string }
  }

  const row = async () =>
    (
      await server.context.database.pool.query(
        `select * from outbox_message where topic = 'backchannel_logout'`,
      )
    ).rows
  const due = () =>
    server.context.database.pool.query(
      `update outbox_message set available_at = now() where topic = 'backchannel_logout'`,
    )

  it('LO-02 RP-initiated logout tells every app of the session once: typ, aud, sub, sid, events, two minutes, no nonce', async () => {
    const account = await createAccount(server)
    const [one, two, other] = [await newApp(), await newApp(), await newApp(204)]
    const { browser, idToken, sid } = await enter(one, account)
    const second = await enter(two, account, browser)
    await enter(other, account)

    await browser.visit(
      one.endSessionUrl({
        id_token_hint: idToken,
        post_logout_redirect_uri: 'https://client.example/bye',
      }),
    )
    const bye = await browser.submit('/session/end/confirm')
    expect(bye.url.href).toBe('https://client.example/bye')
    await eventually(
      () => `${receiver.at(one.path).length} and ${receiver.at(two.path).length}`,
      '1 and 1',
    )
    expect(receiver.at(other.path)).toEqual([])

    const [token = ''] = receiver.at(one.path)
    const jwks = createRemoteJWKSet(new URL(`${server.origin}/jwks`))
    const { payload, protectedHeader } = await jwtVerify(token, jwks, {
      issuer: server.origin,
      audience: one.clientId,
      typ: 'logout+jwt',
    })
    expect(protectedHeader.alg).toBe('ES256')
    expect(payload).toMatchObject({
      sub: account.id,
      sid,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(120)
    expect(payload).not.toHaveProperty('nonce')
    expect(payload.jti).toMatch(/^[\w-]{20,}$/)
    expect(decodeJwt(receiver.at(two.path)[0] ?? '')).toMatchObject({
      aud: two.clientId,
      sid: second.sid,
    })
    expect(receiver.tokens[0]?.contentType).toBe('application/x-www-form-urlencoded')
    await eventually(async () => (await row()).filter((each) => !each.delivered_at).length, 0)
  })

  it('F16 LO-02 tells an app also by a notice in which a later version has put more', async () => {
    const account = await createAccount(server)
    const app = await newApp()
    const { sid } = await enter(app, account)
    const { database, outbox, worker } = server.context
    const notice = { clientId: app.clientId, accountId: account.id, sid, version: 2, reason: 'x' }
    await database.em.fork().transactional(async (tx) => {
      outbox.enqueue(tx, 'backchannel_logout', notice)
    })
    await worker.drain()
    await eventually(() => receiver.at(app.path).length, 1)
    expect(decodeJwt(receiver.at(app.path)[0] ?? '')).toMatchObject({ sub: account.id, sid })
  })

  const doors: readonly [
    string,
    (
      a: Awaited<ReturnType<typeof enter>> & { account: Awaited<ReturnType<typeof createAccount>> },
    ) => Promise<unknown>,
  ][] = [
    [
      'the account page',
      ({ browser }) =>
        browser.visit('/account').then(() => browser.submit('/account/sign-out', {})),
    ],
    [
      "the API's logout-all",
      async ({ account }) => {
        const { token } = await signIn(server, account)
        return api(server, 'DELETE /user/logout-all', undefined, { token })
      },
    ],
    [
      'the API, one session by its id',
      async ({ account }) => {
        const { token } = await signIn(server, account)
        const { body } = await api(server, 'GET /user/sessions', undefined, { token })
        const { id } = body.sessions.find((each: { current: boolean }) => !each.current)
        return api(server, `DELETE /user/sessions/${id}`, undefined, { token })
      },
    ],
    [
      'a changed password',
      ({ account }) => server.context.passwords.replace(account.id, 'another fine long phrase'),
    ],
    [
      'deletion',
      ({ account }) =>
        server.context.deletion.request(account.id, {
          ip: '192.0.2.1',
          userAgent: '',
          requestId: 'x',
        }),
    ],
    [
      'the cap on sessions',
      async ({ account }) => {
        for (let index = 0; index < CAPS.sessionsPerAccount; index += 1)
          await open(account.id, `cap-${index}`)
      },
    ],
  ]

  function open(accountId: string, id: string): Promise<unknown> {
    const now = new Date()
    return server.context.sessions.open(
      {
        id,
        accountId,
        door: 'api',
        amr: ['pwd'],
        acr: undefined,
        isRemembered: false,
        authenticatedAt: now,
        secondProvedAt: undefined,
        expiresAt: new Date(Date.now() + 3_600_000),
      },
      { ip: '192.0.2.1', userAgent: '', requestId: 'x' },
    )
  }

  it.each(doors)('LO-02 ending the session through %s tells its app, once', async (_door, end) => {
    const account = await createAccount(server)
    const app = await newApp()
    const entered = await enter(app, account)
    await end({ ...entered, account })
    await eventually(async () => receiver.at(app.path).length, 1)
    expect(decodeJwt(receiver.at(app.path)[0] ?? '')).toMatchObject({
      sid: entered.sid,
      sub: account.id,
    })
    await server.context.worker.drain()
    expect(receiver.at(app.path)).toHaveLength(1)
  })

  it('LO-02 an app that answers 500 is told again later, by a token of its own and the keys of that moment', async () => {
    const account = await createAccount(server)
    const app = await newApp(500)
    await enter(app, account)
    await server.context.sessions.endAll(account.id)
    await eventually(
      async () => (await row())[0]?.last_error,
      `client ${app.clientId} answered 500`,
    )
    expect(await row()).toMatchObject([{ attempts: 1, delivered_at: null, failed_at: null }])
    const before = decodeProtectedHeader(receiver.at(app.path)[0] ?? '').kid
    await server.context.keys.rotate('ES256', { isEmergency: true })
    await server.context.authorizationServer.reloadKeys()
    receiver.moods.set(app.path, 200)
    await due()
    await server.context.worker.drain()
    const [first = '', second = ''] = receiver.at(app.path)
    expect(decodeJwt(second).jti).not.toBe(decodeJwt(first).jti)
    expect(decodeProtectedHeader(second).kid).not.toBe(before)
    expect((await row()).filter((each) => !each.delivered_at)).toEqual([])
  })

  it.each([302, 'hang', 'slow', 400] as const)(
    'LO-02 an app that answers %s delays neither the person nor other apps',
    async (mood) => {
      const account = await createAccount(server)
      const [bad, good] = [await newApp(mood), await newApp()]
      const { browser, idToken } = await enter(bad, account)
      await enter(good, account, browser)
      await browser.visit(bad.endSessionUrl({ id_token_hint: idToken }))
      const begun = performance.now()
      await browser.submit('/session/end/confirm')
      expect(performance.now() - begun).toBeLessThan(APP_MAY_TAKE_MS)
      await eventually(async () => receiver.at(good.path).length, 1)
      const outcome = {
        302: ['answered 302', false],
        hang: ['does not answer', false],
        slow: ['', true],
        400: ['(400)', true],
      } as const
      const [reason, isOver] = outcome[mood]
      await eventually(async () => {
        const [left] = (await row()).filter((each) => !each.delivered_at)
        return left
          ? String(left.last_error).includes(reason) && (left.failed_at !== null) === isOver
          : isOver
      }, true)
      expect(receiver.tokens.some(({ path }) => path === '/elsewhere')).toBe(false)
    },
  )

  it('LO-02 an address inside the network is never asked, and the log names no address', async () => {
    await using guarded = await startServer({ outgoing: {} })
    const metadata = {
      backchannel_logout_uri: receiver.uri('/inside'),
      backchannel_logout_session_required: true,
    }
    const client = await storeOddClient(guarded, 'its server is on loopback', {
      firstParty: true,
      metadata,
    })
    const app = await relyingParty(guarded, client)
    const account = await createAccount(guarded)
    const browser = new Browser(guarded.origin)
    await browser.visit(app.authorizationUrl())
    await app.redeem(
      (await browser.submit('/login', { username: account.email, password: PASSWORD })).url,
    )
    await guarded.context.sessions.endAll(account.id)
    await guarded.context.worker.drain()
    const { rows } = await guarded.context.database.pool.query(
      `select * from outbox_message where topic = 'backchannel_logout'`,
    )
    expect(rows).toMatchObject([{ last_error: expect.stringContaining('may not be asked') }])
    expect(rows[0].failed_at).not.toBeNull()
    expect(receiver.at('/inside')).toEqual([])
  })

  describe.each<[string, ManagedBy, Config['outgoing'], Partial<Receiving>, boolean]>([
    ['is told by http where the operator says so', 'operator', LOOPBACK, {}, true],
    ['of a file of the operator is told, too', 'config', LOOPBACK, {}, true],
    ['that registered itself is not', 'dcr', LOOPBACK, {}, false],
    ['that publishes its metadata is not', 'cimd', LOOPBACK, {}, false],
    [
      'is not told by http that it did not ask for',
      'operator',
      LOOPBACK,
      { isHttpSaid: false },
      false,
    ],
    ['is not told where nothing is listed', 'operator', NOTHING, {}, false],
    ['is not sent on to loopback by a redirect', 'operator', LOOPBACK, { mood: 302 }, true],
  ])('an app in a network of the operator', (what, managedBy, outgoing, receiving, isTold) => {
    it(`CL-04 LO-02 ${what}`, async () => {
      const { isHttpSaid = true, mood = 200 } = receiving
      const asked: string[] = []
      const plain = createPlainServer((request, response) => {
        asked.push(request.url ?? '')
        response.writeHead(mood, mood === 302 ? { location: '/elsewhere' } : {}).end()
      }).listen(0, '127.0.0.1')
      await new Promise((resolve) => plain.once('listening', resolve))
      const { port } = plain.address() as AddressInfo
      await using own = await startServer({ config: { outgoing } })
      const metadata = {
        backchannel_logout_uri: `http://localhost:${port}/told`,
        backchannel_logout_session_required: true,
        ...(isHttpSaid ? { backchannel_http: true } : {}),
      }
      const client = await storeOddClient(own, 'its server is on loopback', {
        firstParty: true,
        metadata,
      })
      await own.context.database.pool.query(`update client set managed_by = $1`, [managedBy])
      const app = await relyingParty(own, client)
      const account = await createAccount(own)
      const browser = new Browser(own.origin)
      await browser.visit(app.authorizationUrl())
      await app.redeem(
        (await browser.submit('/login', { username: account.email, password: PASSWORD })).url,
      )
      await own.context.sessions.endAll(account.id)
      await own.context.worker.drain()
      expect(asked).toEqual(isTold ? ['/told'] : [])
      const { rows } = await own.context.database.pool.query(
        `select last_error from outbox_message where topic = 'backchannel_logout'`,
      )
      const fault = mood === 302 ? /answered 302/ : /may not be asked/
      if (!isTold || mood === 302) expect(rows[0]?.last_error).toMatch(fault)
      plain.closeAllConnections()
      plain.close()
    })
  })
})
