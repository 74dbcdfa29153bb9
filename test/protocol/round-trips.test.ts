import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { createAccount, createResource, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { basic } from '../support/protocol.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type Trace, trace, traceSignIn } from '../support/tracing.ts'

type Form = Readonly<Record<string, string>>

/** A token with its grant and its session, and the account. */
const READ = ['artifact_find_in_context', 'account-find-active']
/**
 * What a code or refresh token may be for: userinfo within the session, an API within it, userinfo
 * beyond it.
 */
const KINDS = [
  { name: 'an opaque token bound to the session', scope: 'openid email', isOpaque: true },
  { name: 'a JWT bound to the session', scope: 'openid read', isOpaque: false },
  { name: 'an opaque token with offline access', scope: 'openid offline_access', isOpaque: true },
] as const

/**
 * The budget of round trips, exact: one more is noticed where it is made. Clients and resources are
 * in memory, as they are in a running server.
 */
describe('round trips', () => {
  let server: TestServer
  let app: RelyingParty
  let machine: RelyingParty
  let account: { email: string }
  let resource: string

  beforeAll(async () => {
    server = await startServer()
    resource = (await createResource(server)).identifier
    app = await relyingParty(server, { firstParty: true })
    machine = await relyingParty(server, {
      type: 'service',
    })
    account = await createAccount(server)
    for (const { scope } of KINDS) await codeFor(scope)
    await server.context.worker[Symbol.asyncDispose]()
    // Written behind the answers, in batches: no request makes or waits for these round trips.
    await server.context.audit.flush()
    server.context.audit.record = () => undefined
    const { pool } = server.context.database
    await Promise.all(Array.from({ length: 8 }, () => pool.query('select pg_sleep(0.1)')))
  })
  afterAll(() => server.stop())

  function authorizationUrl(scope: string): URL {
    const consent = scope.includes('offline_access') ? { prompt: 'consent' } : {}
    return app.authorizationUrl({
      scope,
      ...consent,
      ...(scope.includes('read') ? { resource } : {}),
    })
  }

  async function codeFor(scope: string): Promise<Form> {
    const browser = new Browser(server.origin)
    await browser.visit(authorizationUrl(scope))
    let page = await browser.submit('/login', { username: account.email, password: PASSWORD })
    if (!page.isForeign) page = await browser.submit('/consent', {}, { button: 'allow' })
    const verifier = app.verifierOf(page.url)
    const code = page.url.searchParams.get('code') ?? ''
    return {
      grant_type: 'authorization_code',
      code,
      redirect_uri: app.redirectUri,
      code_verifier: verifier,
    }
  }

  async function tokensFor(scope: string): Promise<Record<string, string>> {
    return (await (await post(app, '/token', await codeFor(scope))).result.json()) as Record<
      string,
      string
    >
  }

  function post(party: RelyingParty, path: string, form: Form): Promise<Trace<Response>> {
    const headers = { ...basic(party), 'content-type': 'application/x-www-form-urlencoded' }
    return trace(() =>
      send(server.origin + path, {
        method: 'POST',
        headers,
        body: new URLSearchParams(form).toString(),
      }),
    )
  }

  it('G18 client_credentials makes no round trip', async () => {
    const form = { grant_type: 'client_credentials', scope: 'read', resource }
    await post(machine, '/token', form)
    const seen = await post(machine, '/token', form)
    expect([seen.result.status, seen.commands]).toEqual([200, []])
  })

  it.each(KINDS)(
    'G18 G19 a code for $name makes 3, every statement prepared',
    async ({ scope, isOpaque }) => {
      const seen = await post(app, '/token', await codeFor(scope))
      expect(seen.result.status).toBe(200)
      expect(seen).toMatchObject({ depth: 3, unprepared: [] })
      expect(seen.commands.toSorted()).toEqual(spending(isOpaque ? 2 : 1))
    },
  )

  it.each(KINDS)(
    'G18 G19 a refresh for $name makes 3, every statement prepared',
    async ({ scope, isOpaque }) => {
      const { refresh_token: token = '' } = await tokensFor(scope)
      const seen = await post(app, '/token', { grant_type: 'refresh_token', refresh_token: token })
      expect(seen.result.status).toBe(200)
      expect(seen).toMatchObject({ depth: 3, unprepared: [] })
      // The sealed answer, for whoever asks a second time, is one more.
      expect(seen.commands.toSorted()).toEqual(spending(isOpaque ? 3 : 2))
    },
  )

  it('TK-07 a refresh token of another client takes as many, one after the other, as one that nobody has', async () => {
    const other = await relyingParty(server, { firstParty: true })
    const { refresh_token: token = '' } = await tokensFor('openid email')
    const presented = (value: string) =>
      post(other, '/token', { grant_type: 'refresh_token', refresh_token: value })
    await presented(token)
    const [foreign, unknown] = [await presented(token), await presented('x'.repeat(token.length))]
    expect([foreign.result.status, await foreign.result.text()]).toEqual([
      400,
      await unknown.result.text(),
    ])
    expect([foreign.depth, foreign.commands.length]).toEqual([
      unknown.depth,
      unknown.commands.length,
    ])
  })

  /** What is spent with what it hangs on, then the spending with what comes of it. */
  function spending(stored: 1 | 2 | 3): string[] {
    const names = {
      1: 'artifact_exchange',
      2: 'artifact_exchange_for_two',
      3: 'artifact_exchange_for_three',
    }
    return [...READ, names[stored]].toSorted()
  }

  it.each(KINDS.filter(({ isOpaque }) => isOpaque))(
    'G18 G19 userinfo for $name makes 2',
    async ({ scope }) => {
      const { access_token: token } = await tokensFor(scope)
      const seen = await trace(() =>
        send(`${server.origin}/userinfo`, { headers: { authorization: `Bearer ${token}` } }),
      )
      expect(seen.result.status).toBe(200)
      expect(seen).toMatchObject({ depth: 2, unprepared: [] })
      expect(seen.commands).toEqual(READ)
    },
  )

  it.each(['', 'access_token', 'refresh_token'])(
    'G18 G19 introspection makes 1 (hint "%s"), whatever kind the token is',
    async (hint) => {
      const { access_token: access = '', refresh_token: refresh = '' } =
        await tokensFor('openid email')
      for (const token of [access, refresh]) {
        const seen = await post(app, '/token/introspection', {
          token,
          ...(hint ? { token_type_hint: hint } : {}),
        })
        expect(await seen.result.json()).toMatchObject({ active: true })
        expect(seen.commands).toEqual(['artifact_find_in_context'])
      }
      const unknown = await post(app, '/token/introspection', { token: 'x'.repeat(access.length) })
      expect([await unknown.result.json(), unknown.commands]).toEqual([
        { active: false },
        ['artifact_find_in_context'],
      ])
      const nothing = await post(app, '/token/introspection', { token: 'x'.repeat(50) })
      expect([await nothing.result.json(), nothing.commands]).toEqual([{ active: false }, []])
    },
  )

  it('G18 G19 a sign-in from a known device: authorize 1, the page 1, the password 4, and 4 from there to the code', async () => {
    const browser = new Browser(server.origin)
    await browser.visit(authorizationUrl('openid'))
    await browser.submit('/login', { username: account.email, password: PASSWORD })
    browser.jar.delete('gatehouse_session')

    const credentials = { username: account.email, password: PASSWORD }
    const { begun, page, posted, resumed } = await traceSignIn(
      browser,
      authorizationUrl('openid email'),
      credentials,
    )
    expect([begun.result.status, begun.commands]).toEqual([303, ['artifact_upsert']])
    expect([page.result.status, page.commands]).toEqual([200, ['artifact_find']])
    // The attempt is counted as the account is found, before the password is looked at (RL-01), and
    // forgotten while the sign-in is stored; then the account is read again, so that a reset in
    // between ends it (PW-10).
    expect(posted).toMatchObject({ result: { status: 303 }, depth: 4, unprepared: [] })
    expect([resumed.result.isForeign, resumed.depth]).toEqual([true, 4])
    expect(resumed.unprepared).toEqual([])
  })
})
