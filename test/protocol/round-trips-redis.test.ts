import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { createAccount, createResource, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { basic } from '../support/protocol.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { trace, traceSignIn } from '../support/tracing.ts'

/**
 * Where a report came late, as it may on a busy machine, a request asks for its limit: the least of
 * some rounds is what it makes by itself.
 */
const ROUNDS = 3

/** Wide limits, which all instances share on Redis, are told afterwards: no request waits for them. */
describe('round trips on Redis', () => {
  let server: TestServer
  let app: RelyingParty
  let account: { email: string }

  beforeAll(async () => {
    server = await startServer({ storage: 'Redis' })
    app = await relyingParty(server, { firstParty: true })
    account = await createAccount(server)
    await tokens()
    await server.context.worker[Symbol.asyncDispose]()
    await server.context.audit.flush()
    server.context.audit.record = () => undefined
  })
  afterAll(() => server.stop())

  async function post(party: RelyingParty, path: string, form: Record<string, string>) {
    const { clientId, clientSecret } = party
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...(clientSecret ? basic(party) : {}),
    }
    const body = new URLSearchParams({
      ...form,
      ...(clientSecret ? {} : { client_id: clientId }),
    }).toString()
    return trace(() => send(server.origin + path, { method: 'POST', headers, body }))
  }

  async function tokens(party = app) {
    const browser = new Browser(server.origin)
    await browser.visit(party.authorizationUrl({ scope: 'openid email' }))
    const { url } = await browser.submit('/login', { username: account.email, password: PASSWORD })
    const code = {
      code: url.searchParams.get('code') ?? '',
      code_verifier: party.verifierOf(url),
      redirect_uri: party.redirectUri,
    }
    const seen = await post(party, '/token', { grant_type: 'authorization_code', ...code })
    return {
      seen,
      body: (await seen.result.json()) as { access_token: string; refresh_token: string },
    }
  }

  it('G18 client_credentials 0, code and refresh 4 with the use that PostgreSQL remembers, introspection 1, userinfo 2; without a secret no more', async () => {
    const resource = (await createResource(server)).identifier
    const machine = await relyingParty(server, {
      type: 'service',
    })
    const open = await relyingParty(server, { firstParty: true, secret: null })
    const form = { grant_type: 'client_credentials', scope: 'read', resource }
    await post(machine, '/token', form)
    const depths: Record<string, number>[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const credentials = await post(machine, '/token', form)
      const { seen: code, body } = await tokens()
      const introspected = await post(app, '/token/introspection', { token: body.access_token })
      const headers = { authorization: `Bearer ${body.access_token}` }
      const userinfo = await trace(() => send(`${server.origin}/userinfo`, { headers }))
      const refresh = await post(app, '/token', {
        grant_type: 'refresh_token',
        refresh_token: body.refresh_token,
      })
      const { seen: openCode, body: openTokens } = await tokens(open)
      const openRefresh = await post(open, '/token', {
        grant_type: 'refresh_token',
        refresh_token: openTokens.refresh_token,
      })
      const traces = { credentials, code, refresh, introspected, userinfo, openCode, openRefresh }
      expect(new Set(Object.values(traces).map(({ result }) => result.status))).toEqual(
        new Set([200]),
      )
      depths.push(
        Object.fromEntries(Object.entries(traces).map(([name, { depth }]) => [name, depth])),
      )
    }
    const usual = {
      credentials: 0,
      code: 4,
      refresh: 4,
      introspected: 1,
      userinfo: 2,
      openCode: 4,
      openRefresh: 4,
    }
    const least = Object.keys(usual).map((name) => [
      name,
      Math.min(...depths.map((depth) => depth[name] ?? Number.NaN)),
    ])
    expect(Object.fromEntries(least)).toEqual(usual)
  })

  it('G18 a sign-in from a known device: authorize 1, the page 1, the password 4 with its limit, and 4 from there to the code', async () => {
    const seen: number[][] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const browser = new Browser(server.origin)
      await browser.visit(app.authorizationUrl({ scope: 'openid email' }))
      await browser.submit('/login', { username: account.email, password: PASSWORD })
      browser.jar.delete('gatehouse_session')
      const credentials = { username: account.email, password: PASSWORD }
      const { begun, page, posted, resumed } = await traceSignIn(
        browser,
        app.authorizationUrl({ scope: 'openid email' }),
        credentials,
      )
      expect(resumed.result.isForeign).toBe(true)
      const traces = [begun, page, posted, resumed]
      seen.push([
        ...traces.map(({ commands }) => commands.length),
        ...traces.map(({ depth }) => depth),
      ])
    }
    const least = seen.reduce((known, each) =>
      known.map((count, at) => Math.min(count, each[at] ?? Number.NaN)),
    )
    expect(least.slice(0, 4)).toEqual([1, 1, 6, 7])
    // The stand-in works in this process: while it does, nothing else is on its way.
    if (server.redis?.pid !== undefined || process.env['REDIS_URL'])
      expect(least.slice(4)).toEqual([1, 1, 4, 4])
  })
})
