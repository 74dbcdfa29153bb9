import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { ENDINGS } from '../support/endings.ts'
import { createClient, createResource } from '../support/factories.ts'
import { heard } from '../support/heard.ts'
import { signedByServer } from '../support/own-keys.ts'
import {
  authorizationUrl,
  basic,
  get,
  post,
  type SignedInApp,
  signedInApp,
} from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { STORAGES } from '../support/storages.ts'

const API = 'https://api.example/'
const PLAIN = 'https://plain.example/'
const SCOPE = 'openid profile email read'

describe.each(STORAGES)('userinfo by the JWT of an API, grants in %s', (storage) => {
  let server: TestServer
  let app: SignedInApp
  beforeAll(async () => {
    server = await startServer({ storage, config: { trustedProxyHops: 1 } })
    await createResource(server, { identifier: API, opensUserinfo: true })
    await createResource(server, { identifier: PLAIN, scopes: ['read'] })
    app = await signedInApp(server)
  })
  afterEach(() => {
    jest.restoreAllMocks()
  })
  afterAll(() => server.stop())

  async function jwtOf(of = app, change: Parameters<SignedInApp['code']>[0] = {}) {
    const asked = { scope: SCOPE, resource: API, ...change }
    const { body } = await of.redeem(await of.code(asked))
    return { token: String(body.access_token), body }
  }

  /** By the fast path and by the engine, which agree. */
  async function userinfo(token: string, path = '/userinfo') {
    const [fast, long] = await Promise.all(
      [path, `${path}?way=long`].map((each) =>
        get(new URL(each, server.origin), { authorization: `Bearer ${token}` }),
      ),
    )
    const facts = (answer = fast) => ({
      status: answer?.status,
      body: answer?.body,
      challenge: answer?.headers.get('www-authenticate') ?? undefined,
    })
    expect(facts(fast)).toEqual(facts(long))
    return facts()
  }
  const invalid = (description: string) => ({
    status: 401,
    body: { error: 'invalid_token', error_description: 'invalid token provided' },
    challenge: expect.stringContaining(description),
  })
  const REFUSED = invalid('error="invalid_token"')

  it('tells what the scopes of the token release, of the code and of a refresh', async () => {
    const { token, body } = await jwtOf()
    expect(body.scope.split(' ').toSorted()).toEqual(['email', 'openid', 'profile', 'read'])
    expect(decodeJwt(token)).toMatchObject({ aud: API, sub: app.account.id, scope: body.scope })
    const { email } = app.account
    expect(await userinfo(token)).toMatchObject({
      status: 200,
      body: { sub: app.account.id, email, name: 'Ada Lovelace' },
      challenge: undefined,
    })
    const again = (await app.refresh(body.refresh_token)).body
    expect(await userinfo(again.access_token)).toMatchObject({ status: 200, body: { email } })
    const less = (await app.refresh(again.refresh_token, { scope: 'openid read' })).body
    expect(less.scope.split(' ').toSorted()).toEqual(['openid', 'read'])
    expect((await userinfo(less.access_token)).body).toEqual({ sub: app.account.id })
  })

  it('by the one token of an app whose library knows no resource: its scope brings the API', async () => {
    const own = await createResource(server, {
      identifier: 'https://own.example/',
      scopes: ['own:read'],
      opensUserinfo: true,
    })
    const mine = await signedInApp(server, { resources: [own.identifier] })
    const { token, body } = await jwtOf(mine, {
      scope: 'openid profile email own:read',
      resource: undefined,
    })
    expect(decodeJwt(token).aud).toBe(own.identifier)
    expect(body.scope.split(' ').toSorted()).toEqual(['email', 'openid', 'own:read', 'profile'])
    expect((await userinfo(token)).body).toMatchObject({ email: mine.account.email })
    const renewed = (await mine.refresh(body.refresh_token)).body
    expect(decodeJwt(renewed.access_token).aud).toBe(own.identifier)
    expect((await userinfo(renewed.access_token)).status).toBe(200)
  })

  it('by POST too, and refuses a token without openid by its name (RFC 6750 3.1)', async () => {
    const { token } = await jwtOf()
    const posted = await post(server, '/userinfo', { access_token: token })
    expect([posted.status, posted.body.sub]).toEqual([200, app.account.id])
    const other = await jwtOf(app, { scope: 'read', nonce: undefined })
    const { status, challenge } = await userinfo(other.token)
    expect([status, challenge]).toEqual([403, expect.stringContaining('insufficient_scope')])
  })

  it('TK-09 of an API that is not marked so it is refused, and has no scope of the person', async () => {
    const { token, body } = await jwtOf(app, { resource: PLAIN })
    expect(body.scope).toBe('read')
    expect(await userinfo(token)).toEqual(REFUSED)
    // Not even where it says so itself.
    const said = decodeJwt(token)
    const forged = await signedByServer(server, { ...said, scope: SCOPE })
    expect(await userinfo(forged)).toEqual(REFUSED)
  })

  it('JW-02 JW-03 JW-04 what is expired, of a foreign key, of another audience or kind is refused (RFC 6750 3.1)', async () => {
    const { token, body } = await jwtOf()
    const said = decodeJwt(token)
    const foreign = await generateKeyPair('ES256')
    const { aud: _api, ...withoutAudience } = said
    const past = Math.floor(Date.now() / 1000) - 60
    const cases = {
      expired: await signedByServer(server, { ...said, exp: past }),
      'a foreign key': await new SignJWT(said)
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
        .sign(foreign.privateKey),
      'a foreign key of its own naming': await new SignJWT(said)
        .setProtectedHeader({
          alg: 'ES256',
          typ: 'at+jwt',
          jwk: await exportJWK(foreign.publicKey),
        })
        .sign(foreign.privateKey),
      'another audience': await signedByServer(server, { ...said, aud: PLAIN }),
      'a list of audiences': await signedByServer(server, { ...said, aud: [API] }),
      'no audience': await signedByServer(server, withoutAudience),
      'the account API': await signedByServer(server, {
        ...said,
        aud: `${server.origin}/api/auth`,
      }),
      'another issuer': await signedByServer(server, { ...said, iss: 'https://evil.example' }),
      'type JWT of an API of at+jwt': await signedByServer(server, said, { typ: 'JWT' }),
      'no type': await signedByServer(server, said, { typ: '' }),
      'an ID token': String(body.id_token),
      'an ID token for the API': await signedByServer(
        server,
        { ...decodeJwt(String(body.id_token)), aud: API },
        { typ: 'JWT' },
      ),
      'sealed for another token': await signedByServer(server, { ...said, jti: 'other' }),
      'nothing sealed': await signedByServer(server, { ...said, gatehouse_binding: undefined }),
      'noise sealed': await signedByServer(server, { ...said, gatehouse_binding: 'noise' }),
      'another client': await signedByServer(server, { ...said, client_id: 'someone' }),
      'older than its grant': await signedByServer(server, { ...said, iat: Number(said.iat) - 60 }),
      padded: `${token}=`,
      cut: token.slice(0, -1),
      'a dot': '.',
      dots: 'a.b.c',
      'five parts': 'a.b.c.d.e',
      'the name by which introspection asks': 'jwt',
    }
    for (const [what, each] of Object.entries(cases))
      expect([what, (await userinfo(each)).status]).toEqual([what, 401])
    expect((await userinfo(await signedByServer(server, said))).status).toBe(200)
  })

  it('T4 one that is bound to a key is refused: nobody checks the proof', async () => {
    const said = decodeJwt((await jwtOf()).token)
    for (const cnf of [{ jkt: 'x'.repeat(43) }, { 'x5t#S256': 'x' }, {}, null, 'x'])
      expect(await userinfo(await signedByServer(server, { ...said, cnf }))).toEqual(REFUSED)
  })

  it.each<[string, (of: SignedInApp) => Promise<unknown>]>([
    ...ENDINGS.map(([what, end]): [string, (of: SignedInApp) => Promise<unknown>] => [
      what,
      (of) => end(server, of),
    ]),
    [
      'SE-06 the row of the session is gone',
      ({ account }) =>
        server.context.database.pool.query('delete from "session" where "account_id" = $1', [
          account.id,
        ]),
    ],
    [
      'CL-01 the client is disabled',
      async ({ client }) => {
        await server.context.clients.disable(client.clientId)
        await heard(server)
      },
    ],
    [
      'CL-01 the client was disabled meanwhile',
      async ({ client }) => {
        // Tokens tell their age in whole seconds.
        await sleep(1100)
        await server.context.clients.disable(client.clientId)
        await server.context.clients.enable(client.clientId)
        await heard(server)
      },
    ],
    [
      'the API is taken from the client',
      async ({ client }) => {
        await server.context.clients.update(client.clientId, { resources: [PLAIN] })
        await heard(server)
      },
    ],
    [
      'a backup was put back since',
      async () => {
        jest.spyOn(server.context.directory, 'isSinceRestore').mockReturnValue(false)
      },
    ],
  ])('is dead at once when %s', async (_what, end) => {
    const mine = await signedInApp(server)
    const { token } = await jwtOf(mine)
    expect((await userinfo(token)).status).toBe(200)
    await end(mine)
    expect(await userinfo(token)).toEqual(REFUSED)
  })

  it('is dead when the operator takes the mark away, and good again with it', async () => {
    const { token } = await jwtOf()
    await server.context.resources.update(API, { opensUserinfo: false })
    await heard(server)
    expect(await userinfo(token)).toEqual(REFUSED)
    await server.context.resources.update(API, { opensUserinfo: true })
    await heard(server)
    expect((await userinfo(token)).status).toBe(200)
  })

  it('offline access outlives the session, and ends with its grant', async () => {
    const mine = await signedInApp(server)
    await mine.browser.visit(
      authorizationUrl(server, mine.client.clientId, {
        scope: `${SCOPE} offline_access`,
        resource: API,
        prompt: 'consent',
      }),
    )
    const { url } = await mine.browser.submit('/consent', {}, { button: 'allow' })
    const { body } = await mine.redeem(url.searchParams.get('code') ?? '')
    const token = String(body.access_token)
    await mine.browser.visit('/session/end')
    await mine.browser.submit('/session/end/confirm', {}, { button: 'logout', follow: false })
    expect((await userinfo(token)).status).toBe(200)
    await server.context.access.revokeApp(mine.account.id, mine.client.clientId)
    expect(await userinfo(token)).toEqual(REFUSED)
  })

  it('a service has no person: its token is refused', async () => {
    const service = await createClient(server, { type: 'service', resources: [API] })
    const form = { grant_type: 'client_credentials', scope: 'read' }
    const { body } = await post(server, '/token', form, basic(service))
    expect(body.scope).toBe('read')
    expect(decodeJwt(body.access_token)).not.toHaveProperty('gatehouse_binding')
    expect(await userinfo(body.access_token)).toEqual(REFUSED)
    const more = { ...form, scope: 'read openid' }
    expect((await post(server, '/token', more, basic(service))).body.error).toBe('invalid_scope')
  })

  it('what is sealed tells an API nothing: it is another text in each token of one sign-in', async () => {
    const sealed = async () => String(decodeJwt((await jwtOf()).token)['gatehouse_binding'])
    const [one, other] = [await sealed(), await sealed()]
    expect(one).not.toBe(other)
    const ids = await server.context.database.pool.query<{ id: string }>(
      'select "id" from "session"',
    )
    for (const { id } of ids.rows)
      expect(Buffer.from(one, 'base64url').toString('latin1')).not.toContain(id)
  })

  it('people are asked for what they were asked for before', async () => {
    const stranger = await signedInApp(server, { firstParty: false })
    const consent = async (resource: string) => {
      const { text } = await stranger.browser.visit(
        authorizationUrl(server, stranger.client.clientId, {
          scope: SCOPE,
          resource,
          prompt: 'consent',
        }),
      )
      return text.match(/<li[\s\S]*?<\/li>/g)?.length
    }
    expect(await consent(API)).toBe(await consent(PLAIN))
  })
})
