import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Redis } from 'ioredis'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { type Cluster, startCluster } from '../support/balancer.ts'
import { createResource } from '../support/factories.ts'
import { heard } from '../support/heard.ts'
import { send } from '../support/http.ts'
import {
  type Answer,
  basic,
  get,
  nobody,
  post,
  type SignedInApp,
  signedInApp,
} from '../support/protocol.ts'
import { connectTo } from '../support/redis.ts'
import type { TestServer } from '../support/server.ts'
import { STORAGES } from '../support/storages.ts'
import { inPostgres, inRedis, type StoredArtifacts } from '../support/stored-artifacts.ts'

const API = 'https://api.example/'
const LEEWAY_SECONDS = 1
const DAY = 86_400

describe.each(STORAGES)('tokens in %s', (storage) => {
  let direct: Redis | undefined
  let stored: StoredArtifacts
  let cluster: Cluster
  /** Both instances behind the balancer: every request goes to the other one than the last. */
  let server: TestServer
  let app: SignedInApp
  let spa: SignedInApp

  beforeAll(async () => {
    cluster = await startCluster(2, { storage })
    direct = cluster.redis && connectTo(cluster.redis.url)
    const [one] = cluster.instances
    if (!one) throw new Error('the cluster has instances')
    server = one
    stored = direct ? inRedis(direct) : inPostgres(server)
    await createResource(server, { identifier: API, scopes: ['read', 'write'] })
    app = await signedInApp(server, { refreshLeewaySeconds: LEEWAY_SECONDS })
    spa = await signedInApp(server, { secret: null, refreshLeewaySeconds: LEEWAY_SECONDS })
  })
  afterAll(async () => {
    direct?.disconnect()
    await cluster.stop()
  })

  const sql = (text: string, ...values: string[]) =>
    server.context.database.pool.query(text, values)
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const userinfo = (token: string): Promise<Answer> =>
    get(new URL('/userinfo', server.origin), bearer(token))
  const introspect = (token: string, of = app): Promise<Answer> =>
    post(server, '/token/introspection', { token }, basic(of.client))
  const isGrantError = ({ status, body }: Answer): boolean =>
    status === 400 && body.error === 'invalid_grant'
  const pastLeeway = (): Promise<void> => sleep(LEEWAY_SECONDS * 1000 + 100)

  async function tokens(of = app, change: Parameters<SignedInApp['code']>[0] = {}) {
    const { body } = await of.redeem(await of.code(change))
    return {
      access: body.access_token as string,
      refresh: body.refresh_token as string,
      id: body.id_token as string,
      body,
    }
  }

  describe('authorization codes', () => {
    it('TK-01 of 50 parallel exchanges over two instances one succeeds', async () => {
      const code = await app.code()
      const answers = await Promise.all(Array.from({ length: 50 }, () => app.redeem(code)))
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      expect(answers.filter(isGrantError)).toHaveLength(49)
    })

    it('TK-01 a second use after the leeway ends what the first one got: userinfo, introspection, refresh', async () => {
      const code = await app.code()
      const { body } = await app.redeem(code)
      await pastLeeway()
      expect(isGrantError(await app.redeem(code))).toBe(true)
      expect((await userinfo(body.access_token)).status).toBe(401)
      expect((await introspect(body.access_token)).body).toEqual({ active: false })
      expect(isGrantError(await app.refresh(body.refresh_token))).toBe(true)
    })

    it('TK-01 lives 60 seconds at most', async () => {
      const code = await app.code()
      const seconds = await stored.secondsLeft('AuthorizationCode')
      expect(seconds).toBeGreaterThan(50)
      expect(seconds).toBeLessThanOrEqual(60)
      await stored.expire('AuthorizationCode')
      await sleep(10)
      expect(isGrantError(await app.redeem(code))).toBe(true)
    })

    it('TK-02 client, redirect URI, verifier and session: each alone spoils an exchange', async () => {
      const cases: [string, () => Promise<Answer>][] = [
        ['another client, authenticated', async () => app.redeem(await spa.code())],
        ['another public client', async () => spa.redeem(await app.code())],
        ['no redirect URI', async () => app.redeem(await app.code(), { redirect_uri: undefined })],
        [
          'another redirect URI',
          async () =>
            app.redeem(await app.code(), { redirect_uri: 'https://client.example/other' }),
        ],
        [
          'a redirect URI in other case',
          async () =>
            app.redeem(await app.code(), { redirect_uri: 'https://client.example/Callback' }),
        ],
        ['no verifier', async () => app.redeem(await app.code(), { code_verifier: undefined })],
        ['another verifier', async () => app.redeem(await app.code(), { code_verifier: nobody() })],
      ]
      for (const [what, attempt] of cases) {
        const { status, body } = await attempt()
        expect([what, status, body.error]).toEqual([
          what,
          400,
          expect.stringMatching(/^invalid_(grant|request)$/),
        ])
        expect(body).not.toHaveProperty('access_token')
      }
      const without = await app.redeem(await app.code(), {}, {})
      expect([without.status, without.body.error]).toEqual([400, 'invalid_request'])
      const wrong = await app.redeem(
        await app.code(),
        {},
        basic({ ...app.client, clientSecret: 'wrong' }),
      )
      expect([wrong.status, wrong.body.error]).toEqual([401, 'invalid_client'])
    })

    it('TK-02 a code of a session that was ended meanwhile is worth nothing', async () => {
      const gone = await signedInApp(server)
      const code = await gone.code()
      await gone.browser.visit('/session/end')
      await gone.browser.submit('/session/end/confirm', {}, { button: 'logout', follow: false })
      expect(isGrantError(await gone.redeem(code))).toBe(true)
    })
  })

  describe('refresh tokens', () => {
    it('TK-03 of 50 parallel rotations over two instances comes one child, and it works', async () => {
      // A leeway that outlasts the herd on a busy machine, where there may be one: after it, the
      // last of them would end the family.
      for (const options of [
        { refreshLeewaySeconds: 60 },
        { secret: null, refreshLeewaySeconds: 10 },
      ]) {
        const each = await signedInApp(server, options)
        const { refresh } = await tokens(each)
        const answers = await Promise.all(Array.from({ length: 50 }, () => each.refresh(refresh)))
        const [child, ...others] = [
          ...new Set(
            answers.map(({ status, body }) => (status === 200 ? body.refresh_token : status)),
          ),
        ]
        expect(others).toEqual([])
        expect((await each.refresh(child)).status).toBe(200)
      }
    })

    it('TK-03 reuse after the leeway ends the family, its access tokens included', async () => {
      const { refresh } = await tokens(spa)
      const next = (await spa.refresh(refresh)).body
      await pastLeeway()
      expect(isGrantError(await spa.refresh(refresh))).toBe(true)
      expect(isGrantError(await spa.refresh(next.refresh_token))).toBe(true)
      expect((await userinfo(next.access_token)).status).toBe(401)
    })

    it('TK-05 scope never grows, also step by step, and may shrink for one answer', async () => {
      const { refresh } = await tokens(app, { scope: 'openid email' })
      const grown = await app.refresh(refresh, { scope: 'openid email phone' })
      expect([grown.status, grown.body.error]).toEqual([400, 'invalid_scope'])
      const less = await app.refresh(refresh, { scope: 'openid' })
      expect([less.status, less.body.scope]).toEqual([200, 'openid'])
      const further = await app.refresh(less.body.refresh_token, { scope: 'openid email profile' })
      expect([further.status, further.body.error]).toEqual([400, 'invalid_scope'])
    })

    it('TK-05 idle 14 days, and 30 days at most from the sign-in, whatever is done', async () => {
      const mine = await signedInApp(server)
      const { refresh } = await tokens(mine)
      const daysLeft = async (): Promise<number> =>
        Math.round((await stored.secondsLeft('RefreshToken', mine.account.id)) / DAY)
      expect(await daysLeft()).toBe(14)
      await stored.signedInBefore(mine.account.id, 20 * DAY)
      expect((await mine.refresh(refresh)).status).toBe(200)
      expect(await daysLeft()).toBe(10)
    })

    it.each<[string, (of: SignedInApp) => Promise<unknown>]>([
      [
        'the account is disabled',
        ({ account }) =>
          sql(`update "account" set "status" = 'disabled' where "id" = $1`, account.id),
      ],
      [
        'the account is deleted',
        ({ account }) => sql(`delete from "account" where "id" = $1`, account.id),
      ],
      [
        'the client is disabled',
        async ({ client }) => {
          await server.context.clients.disable(client.clientId)
          await heard(...cluster.instances)
        },
      ],
      ['the grant is gone', () => stored.forget('Grant')],
    ])('TK-05 SE-07 looks again at each refresh: nothing when %s', async (_what, end) => {
      const mine = await signedInApp(server)
      const { refresh, access } = await tokens(mine)
      expect((await userinfo(access)).status).toBe(200)
      await end(mine)
      const { status, body } = await mine.refresh(refresh)
      expect([status, body.error]).toEqual([
        expect.any(Number),
        expect.stringMatching(/^invalid_(grant|client)$/),
      ])
      expect((await userinfo(access)).status).toBe(401)
    })

    it('TK-06 a confidential client has to authenticate, and nobody uses the token of another', async () => {
      const { refresh } = await tokens(app)
      const without = await app.refresh(refresh, {}, {})
      const named = await app.refresh(refresh, { client_id: app.client.clientId }, {})
      const wrong = await app.refresh(refresh, {}, basic({ ...app.client, clientSecret: 'wrong' }))
      expect([without.status, named.status, wrong.status]).toEqual([400, 401, 401])
      expect(isGrantError(await spa.refresh(refresh))).toBe(true)
      expect((await app.refresh(refresh)).status).toBe(200)
    })
  })

  describe('authorization headers', () => {
    const loose = (text: string): string[] => [
      text.toLowerCase(),
      `${text}=`,
      `${text}!`,
      ` ${text}`,
      `${text},`,
      `${text} x`,
      `x ${text}`,
      `\t${text}`,
      `"${text}"`,
      `${text}, Bearer ${text}`,
      text.slice(1),
      `${text}${text}`,
      `${text}.${text}`,
      `${text}%20`,
      '',
      '=',
      '.',
      'null',
      'undefined',
      'x'.repeat(8000),
    ]

    it('TK-08 a bearer token is one scheme, one space, one token; everything else is 401 and never 500', async () => {
      const { access } = await tokens()
      expect((await userinfo(access)).status).toBe(200)
      for (const value of [
        ...loose(access).map((text) => `Bearer ${text}`),
        access,
        `Bearer`,
        `Basic ${access}`,
        `DPoP ${access}`,
        `Token ${access}`,
      ]) {
        const { status, text } = await get(new URL('/userinfo', server.origin), {
          authorization: value,
        })
        expect([
          value.slice(0, 40),
          status >= 400 && status <= 401,
          text.includes('"sub"'),
        ]).toEqual([value.slice(0, 40), true, false])
      }
    })

    it('TK-08 client credentials in Basic are strict; everything else is 4xx and never 500', async () => {
      const own = basic(app.client).authorization.slice('Basic '.length)
      const encode = (pair: string): string => Buffer.from(pair).toString('base64')
      const { clientId, clientSecret = '' } = app.client
      const pairs = [
        clientId,
        `${clientId}:`,
        `:${clientSecret}`,
        ':',
        `${clientId}:${clientSecret}:`,
        `${clientId}:${clientSecret}\n`,
        ` ${clientId}:${clientSecret}`,
        `${clientId}%00:${clientSecret}`,
        `${clientId}:%zz`,
        '\u00ff\u00fe:x',
      ]
      for (const value of [...loose(own), ...pairs.map(encode)].map((text) => `Basic ${text}`)) {
        const { status, body } = await post(
          server,
          '/token',
          { grant_type: 'client_credentials' },
          { authorization: value },
        )
        expect([value.slice(0, 60), status === 400 || status === 401, body.error]).toEqual([
          value.slice(0, 60),
          true,
          expect.stringMatching(/^invalid_(client|request)$/),
        ])
      }
    })

    it('TK-08 takes no token from the query, and not from header and body at once', async () => {
      const { access } = await tokens()
      const url = new URL('/userinfo', server.origin)
      url.searchParams.set('access_token', access)
      expect((await get(url)).status).toBe(400)
      expect(
        (await post(server, '/userinfo', { access_token: access }, bearer(access))).status,
      ).toBe(400)
    })
  })

  describe('introspection, revocation, userinfo', () => {
    it('TK-09 a client sees its own tokens; another client, and a resource server with another audience, see none', async () => {
      const { access, refresh } = await tokens()
      expect((await introspect(access)).body).toMatchObject({
        active: true,
        client_id: app.client.clientId,
        sub: app.account.id,
        token_type: 'Bearer',
      })
      expect((await introspect(refresh)).body).toMatchObject({ active: true })
      const other = await signedInApp(server)
      expect((await introspect(access, other)).body).toEqual({ active: false })
      expect((await introspect(refresh, other)).body).toEqual({ active: false })
      expect((await introspect(nobody())).body).toEqual({ active: false })
    })

    it('TK-09 asks who is asking', async () => {
      const { access } = await tokens()
      const anonymous = await post(server, '/token/introspection', { token: access })
      const wrong = await post(
        server,
        '/token/introspection',
        { token: access },
        basic({ ...app.client, clientSecret: 'wrong' }),
      )
      expect([anonymous.status, wrong.status]).toEqual([401, 401])
    })

    it('TK-09 revokes only for the client that holds the token, and an unknown token is no error (RFC 7009 2.2)', async () => {
      const { access, refresh } = await tokens()
      const other = await signedInApp(server)
      const foreign = await post(
        server,
        '/token/revocation',
        { token: refresh },
        basic(other.client),
      )
      expect(foreign.status).toBe(400)
      expect((await userinfo(access)).status).toBe(200)
      expect(
        (await post(server, '/token/revocation', { token: nobody() }, basic(app.client))).status,
      ).toBe(200)
      expect((await post(server, '/token/revocation', { token: refresh })).status).toBe(400)
      expect(
        (await post(server, '/token/revocation', { token: refresh }, basic(app.client))).status,
      ).toBe(200)
      expect(isGrantError(await app.refresh(refresh))).toBe(true)
      expect((await userinfo(access)).status).toBe(401)
    })

    it('TK-09 userinfo takes no token that was made for an API', async () => {
      const { access } = await tokens(app, { scope: 'openid read', resource: API })
      expect((await userinfo(access)).status).toBe(401)
    })
  })

  describe('opaque tokens', () => {
    it('TK-11 every changed character makes another token', async () => {
      const { access, refresh } = await tokens()
      for (let index = 0; index < access.length; index++) {
        const changed =
          access.slice(0, index) + (access[index] === 'A' ? 'B' : 'A') + access.slice(index + 1)
        expect([index, (await introspect(changed)).body]).toEqual([index, { active: false }])
      }
      for (const changed of [
        access.slice(0, -1),
        `${access}A`,
        access.toLowerCase(),
        access.toUpperCase(),
        `${access}=`,
        access + access,
        ` ${access}`,
        `${access}\n`,
        `${access}\u0000`,
        `AccessToken:${access}`,
      ])
        expect((await introspect(changed)).body?.active ?? false).toBe(false)
      for (const changed of [
        refresh.slice(0, -1),
        `${refresh}A`,
        refresh.toLowerCase(),
        `${refresh}=`,
        refresh + refresh,
      ])
        expect(isGrantError(await app.refresh(changed))).toBe(true)
      expect((await userinfo(access)).status).toBe(200)
    })

    it('TK-12 a token of one kind is nothing where another kind is asked for', async () => {
      const { access, refresh, id } = await tokens()
      const code = await app.code()
      const cookies = app.browser.jar.all.map(({ value }) => value)
      const kinds = [access, refresh, id, code, ...cookies]
      for (const token of kinds.filter((one) => one !== access))
        expect((await userinfo(token)).status).toBe(401)
      for (const token of kinds.filter((one) => one !== code))
        expect(isGrantError(await app.redeem(token))).toBe(true)
      for (const token of kinds.filter((one) => one !== refresh))
        expect(isGrantError(await app.refresh(token))).toBe(true)
      for (const token of [id, code, ...cookies])
        expect((await introspect(token)).body).toEqual({ active: false })
      for (const token of kinds) {
        const { status } = await get(new URL(`/auth/${encodeURIComponent(token)}`, server.origin))
        // The id of an interaction has no dot: there is nothing at such a path (RL-05).
        expect([token, status]).toEqual([token, /^[\w-]+$/.test(token) ? 400 : 404])
      }
      for (const token of kinds) {
        const response = await send(new URL('/account', server.origin), {
          headers: { cookie: `session=${token}; session.sig=x` },
        })
        expect(response.status).toBe(303)
      }
      expect((await app.redeem(code)).status).toBe(200)
    })

    it('TK-13 the storage holds no token, code or cookie that could be used', async () => {
      const live: string[] = []
      for (let round = 0; round < 5; round++) {
        const { access, refresh } = await tokens(round % 2 ? spa : app)
        live.push(access, refresh, await app.code())
      }
      live.push(
        ...app.browser.jar.all.map(({ value }) => value).filter((value) => value.length > 20),
      )
      const text = `${await inPostgres(server).dump()}\n${await stored.dump()}`
      expect(text).toContain(app.account.id)
      for (const token of live) {
        expect(text.includes(token)).toBe(false)
        expect(text.includes(Buffer.from(token).toString('hex'))).toBe(false)
      }
    })
  })

  describe('answers', () => {
    it('TK-14 nothing that carries tokens or facts of a person is kept by anyone', async () => {
      const { access, body } = await tokens()
      const answers = [
        await app.redeem(await app.code()),
        await app.redeem('wrong'),
        await app.refresh(body.refresh_token),
        await userinfo(access),
        await userinfo('wrong'),
        await introspect(access),
        await post(server, '/token/revocation', { token: access }, basic(app.client)),
        await post(server, '/token', { grant_type: 'client_credentials' }),
      ]
      expect(answers.map(({ headers }) => headers.get('cache-control'))).toEqual(
        answers.map(() => 'no-store'),
      )
    })

    it.each<[string, Readonly<Record<string, string>>, number, string]>([
      ['no grant type', {}, 400, 'invalid_request'],
      ['an unknown grant type', { grant_type: 'nothing' }, 400, 'unsupported_grant_type'],
      [
        'a grant the client may not use',
        { grant_type: 'client_credentials' },
        400,
        'invalid_request',
      ],
      ['no code', { grant_type: 'authorization_code' }, 400, 'invalid_request'],
      ['no redirect URI', { grant_type: 'authorization_code', code: 'x' }, 400, 'invalid_request'],
      [
        'an unknown code',
        {
          grant_type: 'authorization_code',
          code: 'x',
          redirect_uri: 'https://client.example/callback',
        },
        400,
        'invalid_grant',
      ],
      ['no refresh token', { grant_type: 'refresh_token' }, 400, 'invalid_request'],
      [
        'an unknown refresh token',
        { grant_type: 'refresh_token', refresh_token: 'x' },
        400,
        'invalid_grant',
      ],
      [
        'the device grant',
        { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: 'x' },
        400,
        'unsupported_grant_type',
      ],
      [
        'token exchange',
        { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' },
        400,
        'unsupported_grant_type',
      ],
    ])(
      'TK-15 says in JSON what is wrong (RFC 6749 5.2): %s',
      async (_what, fields, status, error) => {
        const answer = await post(server, '/token', fields, basic(app.client))
        expect([answer.status, answer.body.error, answer.headers.get('content-type')]).toEqual([
          status,
          error,
          'application/json; charset=utf-8',
        ])
      },
    )

    it('TK-15 a 401 names the scheme: Basic for clients, Bearer with an error for tokens', async () => {
      const client = await post(
        server,
        '/token',
        { grant_type: 'refresh_token' },
        basic({ clientId: 'nobody', clientSecret: 'x' }),
      )
      expect([client.status, client.body.error, client.headers.get('www-authenticate')]).toEqual([
        401,
        'invalid_client',
        expect.stringMatching(/^Basic realm=/),
      ])
      const token = await userinfo('wrong')
      expect([token.status, token.body.error, token.headers.get('www-authenticate')]).toEqual([
        401,
        'invalid_token',
        expect.stringMatching(/^Bearer .*error="invalid_token"/),
      ])
    })
  })

  describe('access tokens', () => {
    it('TK-17 for an API is an RFC 9068 JWT: typ at+jwt, one audience, 10 minutes, the scopes of that API only', async () => {
      const { access, body } = await tokens(app, { scope: 'openid email read', resource: API })
      expect(decodeProtectedHeader(access)).toEqual({
        alg: 'ES256',
        typ: 'at+jwt',
        kid: expect.any(String),
      })
      const claims = decodeJwt(access)
      expect(claims).toMatchObject({
        iss: server.origin,
        aud: API,
        sub: app.account.id,
        client_id: app.client.clientId,
        scope: 'read',
        jti: expect.any(String),
      })
      expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(600)
      expect(body.expires_in).toBe(600)
      expect(claims).not.toHaveProperty('email')
    })

    it('TK-17 without an API is opaque and lives 10 minutes', async () => {
      const { access, body } = await tokens()
      expect(access).toMatch(/^[\w-]{43,}$/)
      expect(body.expires_in).toBe(600)
    })

    it('TK-17 an API that is not registered gets no token', async () => {
      const page = await app.browser.visit(`/auth?client_id=${app.client.clientId}`)
      expect(page.status).toBe(400)
      await expect(app.code({ resource: 'https://other.example/' })).rejects.toThrow(
        /invalid_target/,
      )
    })
  })
})
