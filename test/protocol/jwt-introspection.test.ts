import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { decodeJwt, generateKeyPair, SignJWT } from 'jose'
import { ENDINGS } from '../support/endings.ts'
import { eventually } from '../support/eventually.ts'
import { createClient, createResource } from '../support/factories.ts'
import { heard } from '../support/heard.ts'
import { signedByServer } from '../support/own-keys.ts'
import { basic, post, type SignedInApp, signedInApp } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { STORAGES } from '../support/storages.ts'

const API = 'https://api.example/'
const OTHER = 'https://other.example/'
const LATE = 'https://late.example/'

describe.each(STORAGES)('introspection of JWTs, grants in %s', (storage) => {
  let server: TestServer
  let app: SignedInApp
  /** The client as which the API asks. */
  let api: { clientId: string; clientSecret: string | undefined }
  beforeAll(async () => {
    server = await startServer({ storage, config: { trustedProxyHops: 1 } })
    api = await createClient(server, { type: 'service', resources: [] })
    const { clientId: servedBy } = api
    await createResource(server, { identifier: API, opensUserinfo: true, servedBy })
    await createResource(server, { identifier: OTHER, scopes: ['read'] })
    await createResource(server, { identifier: LATE, scopes: ['read'] })
    app = await signedInApp(server)
  })
  afterEach(() => {
    jest.restoreAllMocks()
  })
  afterAll(() => server.stop())

  const introspect = (token: string, by = api, more: Readonly<Record<string, string>> = {}) =>
    post(server, '/token/introspection', { token, ...more }, basic(by))
  const isActive = async (token: string): Promise<unknown> => {
    const { status, body } = await introspect(token)
    expect(status).toBe(200)
    if (body.active !== true) expect(body).toEqual({ active: false })
    return body.active
  }
  async function jwtOf(of = app, change: Parameters<SignedInApp['code']>[0] = {}) {
    const asked = { scope: 'openid profile read', resource: API, ...change }
    return (await of.redeem(await of.code(asked))).body
  }
  const ofService = async () => {
    const service = await createClient(server, { type: 'service', resources: [API] })
    const form = { grant_type: 'client_credentials', scope: 'read' }
    const { body } = await post(server, '/token', form, basic(service))
    return { service, token: String(body.access_token) }
  }

  it('of an API that nobody asks about a JWT has nothing sealed, and counts from the next one on', async () => {
    const before = await jwtOf(app, { resource: LATE })
    expect(decodeJwt(before.access_token)).not.toHaveProperty('gatehouse_binding')
    await server.context.resources.update(LATE, { servedBy: api.clientId })
    await heard(server)
    const { access_token: token } = await jwtOf(app, { resource: LATE })
    expect(decodeJwt(token)).toHaveProperty('gatehouse_binding')
    expect(await isActive(token)).toBe(true)
    expect(await isActive(before.access_token)).toBe(false)
  })

  it('TK-09 tells the client that serves the API what the token says, whatever the hint', async () => {
    const { access_token: token, scope } = await jwtOf()
    const { iat, exp, jti } = decodeJwt(token)
    const { rows } = await server.context.database.pool.query<{ username: string }>(
      'select "username" from "account" where "id" = $1',
      [app.account.id],
    )
    for (const hint of [undefined, 'access_token', 'refresh_token', 'unheard_of']) {
      const { status, body, headers } = await introspect(
        token,
        api,
        hint === undefined ? {} : { token_type_hint: hint },
      )
      expect(status).toBe(200)
      expect(headers.get('cache-control')).toContain('no-store')
      expect(body).toEqual({
        active: true,
        sub: app.account.id,
        username: rows[0]?.username,
        acr: 'urn:gatehouse:acr:1fa',
        auth_time: expect.any(Number),
        client_id: app.client.clientId,
        aud: API,
        iss: server.origin,
        scope,
        token_type: 'Bearer',
        iat,
        exp,
        jti,
      })
    }
  })

  it('names the person only where the scope of the token does', async () => {
    const { access_token: token } = await jwtOf(app, { scope: 'openid email read' })
    const { body } = await introspect(token)
    expect(body).toMatchObject({ active: true, sub: app.account.id })
    expect(body).not.toHaveProperty('username')
  })

  it('tells of a service what it has, and of nobody else', async () => {
    const { service, token } = await ofService()
    const { iat, exp, jti } = decodeJwt(token)
    expect((await introspect(token)).body).toEqual({
      active: true,
      client_id: service.clientId,
      aud: API,
      iss: server.origin,
      scope: 'read',
      token_type: 'Bearer',
      iat,
      exp,
      jti,
    })
  })

  it('TK-09 tells nobody else: not its own client, another API or a client that may call the API', async () => {
    const { access_token: token } = await jwtOf()
    const { service } = await ofService()
    const strangers = [app.client, service, await createClient(server, { type: 'service' })]
    for (const stranger of strangers)
      expect((await introspect(token, stranger)).body).toEqual({ active: false })
    const { access_token: foreign } = await jwtOf(app, { resource: OTHER, scope: 'openid read' })
    expect(await isActive(foreign)).toBe(false)
  })

  it('RFC 7662 2.3 asks who asks: 401 without a word, with a wrong secret, and for nobody at all', async () => {
    const { access_token: token } = await jwtOf()
    const silent = await post(server, '/token/introspection', { token })
    const wrong = await introspect(token, { ...api, clientSecret: 'wrong' })
    const unknown = await post(server, '/token/introspection', { token, client_id: 'nobody' })
    for (const { status, body } of [silent, wrong, unknown])
      expect([status, body.error]).toEqual([401, 'invalid_client'])
    for (const { headers } of [silent, wrong])
      expect(headers.get('www-authenticate')).toMatch(/^Basic realm="/)
    const spa = await createClient(server, { secret: null })
    const public_ = await post(server, '/token/introspection', { token, client_id: spa.clientId })
    expect([public_.status, public_.body]).toEqual([200, { active: false }])
  })

  it('JW-02 JW-03 JW-04 what is no access token for this API is not active, and no error', async () => {
    const { access_token: token, id_token: idToken } = await jwtOf()
    const said = decodeJwt(token)
    const { token: service } = await ofService()
    const foreign = await generateKeyPair('ES256')
    const cases = {
      'an ID token': idToken,
      'an ID token for the API': await signedByServer(server, { ...decodeJwt(idToken), aud: API }),
      'a foreign key': await new SignJWT(said)
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
        .sign(foreign.privateKey),
      expired: await signedByServer(server, { ...said, exp: Number(said.iat) - 1 }),
      'T4 bound to a key': await signedByServer(server, { ...said, cnf: { jkt: 'x' } }),
      'a person without what is sealed': await signedByServer(server, {
        ...said,
        gatehouse_binding: undefined,
      }),
      'a service that names another': await signedByServer(server, {
        ...decodeJwt(service),
        sub: app.account.id,
      }),
      'another spelling': `${token}=`,
      'not signed': `${token.split('.').slice(0, 2).join('.')}.`,
      'encrypted, as it looks': `${Buffer.from('{"alg":"dir","enc":"A128GCM"}').toString('base64url')}.a.b.c.d`,
      'a header alone': `${token.split('.')[0]}..`,
      dots: '..',
      'the name by which the storage is asked': 'jwt',
      'twice the token': `${token} ${token}`,
    }
    for (const [what, each] of Object.entries(cases))
      expect([what, await isActive(each)]).toEqual([what, false])
    expect(await isActive(token)).toBe(true)
  })

  it('is of this request alone: 50 at once, good and bad, are told apart', async () => {
    const { access_token: token } = await jwtOf()
    const bad = `${token.slice(0, -4)}AAAA`
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) => isActive([token, bad, 'jwt'][at % 3] ?? '')),
    )
    expect(answers).toEqual(Array.from({ length: 50 }, (_, at) => at % 3 === 0))
  })

  it.each<[string, (of: SignedInApp) => Promise<unknown>]>([
    ...ENDINGS.map(([what, end]): [string, (of: SignedInApp) => Promise<unknown>] => [
      what,
      (of) => end(server, of),
    ]),
    [
      'CL-01 the client is disabled',
      ({ client }) => server.context.clients.disable(client.clientId),
    ],
    [
      'the API is taken from the client',
      ({ client }) => server.context.clients.update(client.clientId, { resources: [OTHER] }),
    ],
  ])('is not active any more when %s', async (_what, end) => {
    const mine = await signedInApp(server)
    const { access_token: token } = await jwtOf(mine)
    expect(await isActive(token)).toBe(true)
    await end(mine)
    await eventually(() => isActive(token), false)
  })

  it('F24 nothing of a service is active that was issued before a backup was put back', async () => {
    const { token } = await ofService()
    jest.spyOn(server.context.directory, 'isSinceRestore').mockReturnValue(false)
    expect(await isActive(token)).toBe(false)
  })

  it('is not active any more when its client is disabled, also of a service', async () => {
    const { service, token } = await ofService()
    await server.context.clients.disable(service.clientId)
    await eventually(() => isActive(token), false)
    // Tokens tell their age in whole seconds.
    await sleep(1100)
    await server.context.clients.enable(service.clientId)
    await heard(server)
    expect(await isActive(token)).toBe(false)
  })

  it('needs the link that the operator has made, and ends with it', async () => {
    const { access_token: token } = await jwtOf()
    const link = (servedBy: string | null) => server.context.resources.update(API, { servedBy })
    await link(null)
    await eventually(() => isActive(token), false)
    await link(api.clientId)
    await eventually(() => isActive(token), true)
  })

  it('TK-10 says 503 while it cannot know', async () => {
    const { access_token: token } = await jwtOf()
    jest.spyOn(server.context.directory, 'findResource').mockImplementation(async () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    })
    const { status, headers } = await introspect(token)
    expect([status, Number(headers.get('retry-after')) > 0]).toEqual([503, true])
  })
})
