import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { createClient, createResource } from '../support/factories.ts'
import { heard } from '../support/heard.ts'
import { basic, get, post, type SignedInApp, signedInApp } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { STORAGES } from '../support/storages.ts'

const API = 'https://api.example/'
const SCOPES = ['openid', 'profile', 'offline_access']

interface Held {
  readonly app: SignedInApp
  readonly opaque: string
  readonly jwt: string
  /** With offline access only. */
  readonly refresh: string
  readonly code: string
}

/** A JWT is never good where a stored token of the same sign-in is not. */
describe.each(STORAGES)('a JWT and a stored token of one grant, in %s', (storage) => {
  let server: TestServer
  let api: { clientId: string; clientSecret: string | undefined }
  beforeAll(async () => {
    server = await startServer({ storage, config: { trustedProxyHops: 1 } })
    api = await createClient(server, { type: 'service', resources: [] })
    await createResource(server, {
      identifier: API,
      opensUserinfo: true,
      servedBy: api.clientId,
      tokenTyp: 'JWT',
    })
  })
  afterEach(() => {
    jest.restoreAllMocks()
  })
  afterAll(() => server.stop())

  async function held(isOffline: boolean): Promise<Held> {
    const app = await signedInApp(server, { firstParty: false, refreshLeewaySeconds: 0 })
    const allowed = { scopes: SCOPES, resourceScopes: { [API]: ['read'] }, claims: [] }
    await server.context.consents.add(app.account.id, app.client.clientId, allowed)
    const scope = isOffline ? 'openid profile offline_access' : 'openid profile'
    const code = await app.code({ scope })
    const plain = (await app.redeem(code)).body
    const { body } = await app.redeem(await app.code({ scope: `${scope} read`, resource: API }))
    return {
      app,
      opaque: String(plain.access_token),
      jwt: String(body.access_token),
      refresh: plain.refresh_token ?? '',
      code,
    }
  }

  const told = async (token: string) =>
    Promise.all(
      ['/userinfo', '/userinfo?way=long'].map(
        async (path) =>
          (await get(new URL(path, server.origin), { authorization: `Bearer ${token}` })).status,
      ),
    )
  const isActive = async (token: string, by: typeof api) =>
    (await post(server, '/token/introspection', { token }, basic(by))).body.active as unknown

  async function standing({ app, opaque, jwt }: Held, by = app.client) {
    return {
      opaque: [...(await told(opaque)), await isActive(opaque, by)],
      jwt: [...(await told(jwt)), await isActive(jwt, api)],
    }
  }
  const GOOD = [200, 200, true]
  const DEAD = [401, 401, false]

  const ENDS: readonly [string, (held: Held) => Promise<unknown>][] = [
    [
      'the password is another',
      ({ app }) => server.context.passwords.replace(app.account.id, 'another fine long phrase'),
    ],
    ['everybody is signed out', ({ app }) => server.context.sessions.endAll(app.account.id)],
    [
      'the account is to be erased',
      ({ app }) =>
        server.context.deletion.request(app.account.id, {
          ip: '192.0.2.1',
          userAgent: '',
          requestId: 'test',
        }),
    ],
    [
      'the consent is taken back',
      ({ app }) => server.context.access.revokeApp(app.account.id, app.client.clientId),
    ],
    [
      'a code is used again',
      async ({ app, code }) => expect((await app.redeem(code)).body.error).toBe('invalid_grant'),
    ],
    [
      'nothing of that time counts for the client any more (CL-01, F24)',
      async () => {
        jest.spyOn(server.context.directory, 'honours').mockResolvedValue(false)
      },
    ],
  ]

  const ENDS_OF_OFFLINE: typeof ENDS = [
    [
      'a refresh token is used again',
      async ({ app, refresh }) => {
        expect((await app.refresh(refresh)).status).toBe(200)
        expect((await app.refresh(refresh)).body.error).toBe('invalid_grant')
      },
    ],
    [
      'the refresh token is revoked',
      ({ app, refresh }) =>
        post(server, '/token/revocation', { token: refresh }, basic(app.client)),
    ],
  ]

  it.each([
    ...ENDS.map(([what, end]) => [`within a session when ${what}`, false, end] as const),
    ...[...ENDS, ...ENDS_OF_OFFLINE].map(
      ([what, end]) => [`offline when ${what}`, true, end] as const,
    ),
  ])('end together, %s', async (_what, isOffline, end) => {
    const mine = await held(isOffline)
    expect(await standing(mine)).toEqual({ opaque: GOOD, jwt: GOOD })
    await end(mine)
    expect(await standing(mine)).toEqual({ opaque: DEAD, jwt: DEAD })
  })

  it('live on together when the secret of the client is another', async () => {
    const mine = await held(false)
    const clientSecret = await server.context.clients.rotateSecret(mine.app.client.clientId)
    await heard(server)
    const by = { ...mine.app.client, clientSecret }
    expect(await standing(mine, by)).toEqual({ opaque: GOOD, jwt: GOOD })
  })

  it('end with a client that is deleted, also where another has its name now', async () => {
    const mine = await held(false)
    const { clientId } = mine.app.client
    await server.context.clients.delete(clientId)
    // Tokens tell their age in whole seconds.
    await sleep(1100)
    await heard(server)
    const told_ = async () => [
      await told(mine.opaque),
      await told(mine.jwt),
      await isActive(mine.jwt, api),
    ]
    expect(await told_()).toEqual([[401, 401], [401, 401], false])
    await createClient(server, { clientId })
    await heard(server)
    expect(await told_()).toEqual([[401, 401], [401, 401], false])
  })

  it('of a service end with a client that is deleted, also where another has its name now', async () => {
    const service = await createClient(server, { type: 'service', resources: [API] })
    const { body } = await post(
      server,
      '/token',
      { grant_type: 'client_credentials', scope: 'read' },
      basic(service),
    )
    expect(await isActive(body.access_token, api)).toBe(true)
    await server.context.clients.delete(service.clientId)
    await sleep(1100)
    await heard(server)
    expect(await isActive(body.access_token, api)).toBe(false)
    await server.context.clients.create({
      id: service.clientId,
      name: 'x',
      type: 'service',
      resources: [API],
    })
    await heard(server)
    expect(await isActive(body.access_token, api)).toBe(false)
  })

  it('is no assertion of a client, and an ID token is no token', async () => {
    const { app, jwt } = await held(false)
    const { id_token: idToken } = (await app.redeem(await app.code())).body
    for (const assertion of [jwt, String(idToken)]) {
      const { status, body } = await post(server, '/token/introspection', {
        token: jwt,
        client_id: api.clientId,
        client_assertion: assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      })
      expect([status, body.error]).toEqual([400, 'invalid_request'])
      expect(await told(String(idToken))).toEqual([401, 401])
      expect(await isActive(String(idToken), api)).toBe(false)
    }
  })

  it('of a scope that brings the API: a refresh with less, then the consent is taken back', async () => {
    const app = await signedInApp(server, { firstParty: false, resources: [API] })
    const allowed = { scopes: SCOPES, resourceScopes: { [API]: ['read', 'write'] }, claims: [] }
    await server.context.consents.add(app.account.id, app.client.clientId, allowed)
    const scope = 'openid profile offline_access read write'
    const { body } = await app.redeem(await app.code({ scope }))
    expect(body.scope.split(' ').toSorted()).toEqual(['openid', 'profile', 'read', 'write'])
    const less = (await app.refresh(body.refresh_token, { scope: 'openid read' })).body
    expect([less.scope.split(' ').toSorted(), await told(less.access_token)]).toEqual([
      ['openid', 'read'],
      [200, 200],
    ])
    expect((await app.refresh(less.refresh_token, { scope: 'openid email' })).body.error).toBe(
      'invalid_scope',
    )
    const same = (await app.refresh(less.refresh_token, { audience: API })).body
    expect(same.scope.split(' ').toSorted()).toEqual(['openid', 'profile', 'read', 'write'])
    await server.context.access.revokeApp(app.account.id, app.client.clientId)
    for (const { access_token: token } of [body, less, same])
      expect([await told(token), await isActive(token, api)]).toEqual([[401, 401], false])
    expect((await app.refresh(same.refresh_token)).body.error).toBe('invalid_grant')
  })
})
