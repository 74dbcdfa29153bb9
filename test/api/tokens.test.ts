import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import { Account, OidcArtifact, Session } from '../../src/entities/index.ts'
import {
  api,
  canRefresh,
  form,
  isAlive,
  type SignedIn,
  signedIn,
  startApi,
} from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { PASSWORD } from '../support/factories.ts'
import { relyingParty } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'

const CLIENT = { client_id: 'gatehouse-api' }

let server: TestServer
let resource: string
beforeAll(async () => {
  server = await startApi()
  resource = `${server.origin}/api/auth`
})
afterAll(() => server.stop())

const me = (token: string) => api(server, 'POST /user/me', undefined, { token })
const refresh = (value: string) => api(server, 'PATCH /user/refresh', { refresh_token: value })
const refreshAtToken = (value: string) =>
  form(server, '/token', { ...CLIENT, grant_type: 'refresh_token', refresh_token: value })
const introspect = async (token: string) =>
  (await form(server, '/token/introspection', { ...CLIENT, token })).body

describe('access tokens', () => {
  it('TK-17 are JWTs of RFC 9068 for this API and ten minutes, with the session in sid', async () => {
    const { id, token, sessionId } = await signedIn(server)
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' })
    const claims = decodeJwt(token)
    expect(claims).toMatchObject({
      iss: server.origin,
      aud: resource,
      sub: id,
      client_id: 'gatehouse-api',
      scope: 'account',
      sid: sessionId,
    })
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(600)
  })

  it('TK-15 are asked for by name: 401 with the scheme alone if there is none, with the reason if it is bad (RFC 6750 3)', async () => {
    const none = await api(server, 'POST /user/me')
    expect(none).toMatchObject({ status: 401, body: { error: 'invalid_token' } })
    expect(none.headers.get('www-authenticate')).toBe('Bearer realm="account"')
    const bad = await me('a.b.c')
    expect(bad.headers.get('www-authenticate')).toBe(
      'Bearer realm="account", error="invalid_token"',
    )
  })

  it('TK-08 the header is parsed strictly: 401, never 500', async () => {
    const { token } = await signedIn(server)
    const [head = '', body = '', signature = ''] = token.split('.')
    const values = [
      '',
      'Bearer',
      'Bearer ',
      `Bearer${token}`,
      `Bearer  ${token}`,
      `Bearer\t${token}`,
      ` Bearer\t ${token}`,
      `Basic ${token}`,
      `DPoP ${token}`,
      `Bearer ${token} x`,
      `Bearer ${token},`,
      `Bearer ${token}, Bearer ${token}`,
      `Bearer "${token}"`,
      `Bearer token=${token}`,
      `Bearer ${token}=`,
      `Bearer ${token}==`,
      `Bearer ${head}.${body}`,
      `Bearer ${head}.${body}.`,
      `Bearer .${body}.${signature}`,
      `Bearer ${head}..${signature}`,
      `Bearer ${token}.`,
      `Bearer .${token}`,
      `Bearer ${token}.x.y`,
      `Bearer ${head}=.${body}.${signature}`,
      `Bearer ${head}.${body}=.${signature}`,
      `Bearer ${head.replaceAll('_', '/')}+.${body}.${signature}`,
      `Bearer ${token.toLowerCase()}`,
      `Bearer ${'a'.repeat(8e3)}`,
      'Bearer %00',
      'Bearer null',
      'Bearer undefined',
      'Bearer é.é.é',
      `Bearer ${Buffer.from('{}').toString('base64url')}.e30.e30`,
      `Bearer ${head}.${body}.${signature}\u00a0`,
      `Bearer ${head}.e30.${signature}`,
    ]
    for (const authorization of values) {
      const { status } = await api(server, 'POST /user/me', undefined, {
        headers: { authorization },
      })
      expect({ authorization, status }).toEqual({ authorization, status: 401 })
    }
    for (const authorization of [`Bearer ${token}`, `bearer ${token}`, `BEARER ${token}`])
      expect(
        (await api(server, 'POST /user/me', undefined, { headers: { authorization } })).status,
      ).toBe(200)
  })

  it('TK-11 no character of one can be changed, its last included', async () => {
    const { token } = await signedIn(server)
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const last = alphabet.indexOf(token.at(-1) ?? '')
    const twins = [1, 2, 3].map(
      (bits) => token.slice(0, -1) + (alphabet[(last & ~3) | ((last + bits) & 3)] ?? ''),
    )
    const flipped = Array.from({ length: 40 }, (_, index) =>
      Math.floor((index * token.length) / 40),
    )
      .filter((at) => token[at] !== '.')
      .map((at) => token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1))
    for (const changed of [...twins, ...flipped].filter((text) => text !== token))
      expect((await me(changed)).status).toBe(401)
  })

  it('JW-01 JW-02 JW-03 JW-04 are checked for key, algorithm, type, issuer, audience, expiry and session', async () => {
    const owner = await signedIn(server)
    const { keys } = await server.context.keys.load()
    const jwk = keys.find(({ alg }) => alg === 'ES256')
    const rsa = keys.find(({ alg }) => alg === 'RS256')
    if (!jwk || !rsa) throw new Error('keys')
    const good = decodeJwt(owner.token)
    const now = Math.floor(Date.now() / 1000)
    const forge = (claims: object, header: object = {}, key: object = jwk) =>
      new SignJWT({ ...good, ...claims })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: jwk.kid, ...header })
        .sign(createPrivateKey({ key: key as never, format: 'jwk' }))
    const stranger = {
      ...jwk,
      ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
    }
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    const hmacHead = `${encoded({ alg: 'HS256', typ: 'at+jwt', kid: jwk.kid })}.${encoded(good)}`

    expect((await me(await forge({}))).status).toBe(200)
    const forged = {
      'another key': await forge({}, {}, stranger),
      'RS256 of our own': await forge({}, { alg: 'RS256', kid: rsa.kid }, rsa),
      none: `${encoded({ alg: 'none', typ: 'at+jwt' })}.${encoded(good)}.`,
      'HS256 with what is public': `${hmacHead}.${createHmac('sha256', pem).update(hmacHead).digest('base64url')}`,
      'typ JWT': await forge({}, { typ: 'JWT' }),
      'typ logout+jwt': await forge({}, { typ: 'logout+jwt' }),
      'no typ': await forge({}, { typ: undefined }),
      'a key of its own': await forge({}, { jwk: stranger }, stranger),
      'a jku': await forge({}, { jku: 'http://127.0.0.1:1/jwks' }, stranger),
      'an unknown kid': await forge({}, { kid: '../../etc/passwd' }),
      expired: await forge({ exp: now }),
      'no expiry': await forge({ exp: undefined }),
      'not yet': await forge({ nbf: now + 60 }),
      'another issuer': await forge({ iss: 'https://evil.example' }),
      'another audience': await forge({ aud: `${server.origin}/userinfo` }),
      'several audiences': await forge({ aud: [resource, 'https://api.example/'] }),
      'no session': await forge({ sid: undefined }),
      'the session of nobody': await forge({ sid: 'x' }),
      'the session of another': await forge({ sid: (await signedIn(server)).sessionId }),
      'another subject': await forge({ sub: (await signedIn(server)).id }),
      'a subject that is none': await forge({ sub: `'; drop table account --` }),
      'a number as session': await forge({ sid: 7 }),
    }
    for (const [what, token] of Object.entries(forged))
      expect({ what, status: (await me(token)).status }).toEqual({ what, status: 401 })
  })

  it('RFC 6750 3.1 without the scope get 403 insufficient_scope', async () => {
    const owner = await signedIn(server)
    const { keys } = await server.context.keys.load()
    const jwk = keys.find(({ alg }) => alg === 'ES256')
    const token = await new SignJWT({ ...decodeJwt(owner.token), scope: 'accounts openid' })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: jwk?.kid ?? '' })
      .sign(createPrivateKey({ key: jwk as never, format: 'jwk' }))
    const refused = await me(token)
    expect(refused).toMatchObject({ status: 403, body: { error: 'forbidden' } })
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer realm="account", error="insufficient_scope", scope="account"',
    )
  })

  it('IN-05 nothing else in a request names the acting account', async () => {
    const [mine, other] = [await signedIn(server), await signedIn(server)]
    const answer = await api(server, 'POST /user/me?userId=x&sub=y', undefined, {
      token: mine.token,
      headers: {
        'x-user-id': other.id,
        cookie: `gatehouse_session=${other.sessionId}; sub=${other.id}`,
      },
    })
    expect(answer.body.user.id).toBe(mine.id)
    for (const body of [{ userId: other.id }, { sub: other.id }, { id: other.id }])
      expect((await api(server, 'POST /user/me', body, { token: mine.token })).status).toBe(400)
  })

  it('SE-07 end at once with the account', async () => {
    for (const status of ['disabled', 'deleting'] as const) {
      const { id, token, refreshToken } = await signedIn(server)
      await server.context.database.em.fork().nativeUpdate(Account, { id }, { status })
      expect((await me(token)).status).toBe(401)
      expect((await refresh(refreshToken)).status).toBe(401)
      expect((await refreshAtToken(refreshToken)).body.error).toBe('invalid_grant')
    }
  })
})

describe('refresh tokens', () => {
  it('rotate, and keep session, subject and authentication time', async () => {
    const { refreshToken, sessionId, id } = await signedIn(server)
    const { status, body, headers } = await refresh(refreshToken)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(Object.keys(body).sort()).toEqual([
      'access_token',
      'expires_in',
      'refresh_token',
      'scope',
      'token_type',
    ])
    expect(body.refresh_token).not.toBe(refreshToken)
    expect(decodeJwt(body.access_token)).toMatchObject({ sid: sessionId, sub: id })
    expect((await me(body.access_token)).status).toBe(200)
  })

  it('work at the token endpoint too, and back again', async () => {
    const { refreshToken } = await signedIn(server)
    const first = await refreshAtToken(refreshToken)
    expect(first).toMatchObject({
      status: 200,
      body: { token_type: 'Bearer', expires_in: 600, scope: 'account' },
    })
    expect((await me(first.body.access_token)).status).toBe(200)
    const second = await refresh(first.body.refresh_token)
    expect(second.status).toBe(200)
    expect((await refreshAtToken(second.body.refresh_token)).status).toBe(200)
  })

  it('are introspected for their client only (TK-09)', async () => {
    const { refreshToken, id } = await signedIn(server)
    expect(await introspect(refreshToken)).toMatchObject({
      active: true,
      sub: id,
      client_id: 'gatehouse-api',
      scope: 'account',
    })
    const app = await relyingParty(server)
    expect(await app.introspect(refreshToken)).toMatchObject({ active: false })
  })

  it('RFC 7009 revoking one ends the session with its access tokens', async () => {
    const { refreshToken, token, sessionId } = await signedIn(server)
    expect(
      (await form(server, '/token/revocation', { ...CLIENT, token: refreshToken })).status,
    ).toBe(200)
    expect((await me(token)).status).toBe(401)
    expect(await introspect(refreshToken)).toEqual({ active: false })
    expect((await refresh(refreshToken)).status).toBe(401)
    expect(await server.context.database.em.fork().count(Session, { id: sessionId })).toBe(0)
  })

  it('TK-03 of 50 uses at once comes one successor, at whichever door, and its family lives', async () => {
    const { refreshToken } = await signedIn(server)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        index % 2 ? refresh(refreshToken) : refreshAtToken(refreshToken),
      ),
    )
    const [successor, ...others] = [
      ...new Set(answers.map(({ status, body }) => (status === 200 ? body.refresh_token : status))),
    ]
    expect(others).toEqual([])
    expect((await refresh(successor)).status).toBe(200)
  })

  it.each(['refresh', 'token endpoint'])(
    'TK-03 used again after the leeway at the %s, end the session',
    async (where) => {
      const { refreshToken, token, sessionId } = await signedIn(server)
      const next = (await refresh(refreshToken)).body
      await server.context.database.pool.query(
        `update "oidc_artifact" set "consumed_at" = "consumed_at" - interval '11 seconds' where "session_uid" = $1 and "consumed_at" is not null`,
        [sessionId],
      )
      const reuse = await (where === 'refresh'
        ? refresh(refreshToken)
        : refreshAtToken(refreshToken))
      expect(reuse.status).toBe(where === 'refresh' ? 401 : 400)
      expect(await canRefresh(server, next.refresh_token)).toBe(false)
      expect((await me(token)).status).toBe(401)
      expect((await me(next.access_token)).status).toBe(401)
    },
  )

  it('TK-05 live fourteen days unused, thirty days in all, and prolong the session until then', async () => {
    const { refreshToken, sessionId } = await signedIn(server)
    const days = async () => {
      const session = await server.context.database.em
        .fork()
        .findOneOrFail(Session, { id: sessionId })
      return Math.round((session.expiresAt.getTime() - Date.now()) / 86_400_000)
    }
    const shift = (seconds: number) =>
      server.context.database.pool.query(
        `update "oidc_artifact" set "payload" = jsonb_set("payload", '{iiat}', to_jsonb(("payload"->>'iiat')::int - $2::int)) where "session_uid" = $1 and "model" = 'RefreshToken'`,
        [sessionId, seconds],
      )
    expect(await days()).toBe(14)
    await shift(20 * 86_400)
    const next = (await refresh(refreshToken)).body.refresh_token
    await server.context.database.pool.query(
      `update "session" set "expires_at" = now() + interval '1 day' where "id" = $1`,
      [sessionId],
    )
    const after = (await refreshAtToken(next)).body.refresh_token
    expect(await days()).toBe(10)
    const { exp } = await introspect(after)
    expect(Math.round((exp - Date.now() / 1000) / 86_400)).toBe(10)
  })

  it.each(['', 'x', 'a'.repeat(512), '\u0000', '../../etc', "' or 1=1 --"])(
    'TK-11 %j is none',
    async (value) => {
      expect((await refresh(value)).status).toBe(value === '' ? 400 : 401)
    },
  )

  it('TK-12 neither other artifacts nor other clients have refresh tokens of this door', async () => {
    const { token, sessionId } = await signedIn(server)
    for (const value of [token, sessionId]) expect((await refresh(value)).status).toBe(401)
  })

  it('TK-13 leave nothing in the database that could be used', async () => {
    const { refreshToken, token } = await signedIn(server)
    const rows = await server.context.database.em.fork().find(OidcArtifact, {})
    const dump = JSON.stringify(rows)
    expect(rows.length).toBeGreaterThan(2)
    for (const secret of [refreshToken, token, token.split('.')[2] ?? ''])
      expect(dump).not.toContain(secret)
  })
})

describe('an app that came by the code flow', () => {
  async function byCode(): Promise<SignedIn & { browser: Browser; third: string }> {
    const person = await signedIn(server)
    const app = await relyingParty(server, { firstParty: true, accountApi: true })
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid account', resource }))
    const back = await browser.submit('/login', { username: person.email, password: PASSWORD })
    const tokens = await app.redeem(back.url)
    return {
      ...person,
      browser,
      token: tokens.access_token,
      refreshToken: tokens.refresh_token ?? '',
      third: person.token,
    }
  }

  it('uses the same routes with a token for resource=<issuer>/api/auth', async () => {
    const { token, id } = await byCode()
    const answer = await me(token)
    expect(answer).toMatchObject({
      status: 200,
      body: { user: { id }, session: { current: true } },
    })
    const { body } = await api(server, 'GET /user/sessions', undefined, { token })
    expect(body.sessions).toHaveLength(2)
  })

  it('a sign-out through the API ends its browser session too, and one of the browser ends its tokens', async () => {
    const first = await byCode()
    expect(
      (await api(server, 'DELETE /user/logout', undefined, { token: first.token })).status,
    ).toBe(204)
    expect(await isAlive(server, first.token)).toBe(false)
    expect(await isAlive(server, first.third)).toBe(true)
    expect((await first.browser.visit('/account')).words).not.toContain(first.email)

    const second = await byCode()
    await second.browser.visit('/session/end')
    await second.browser.submit('/session/end/confirm', {}, { button: 'logout' })
    expect(await isAlive(server, second.token)).toBe(false)
  })

  it('its refresh tokens stay at the token endpoint', async () => {
    const { refreshToken } = await byCode()
    expect((await refresh(refreshToken)).status).toBe(401)
  })

  it('a token for another audience, or an ID token, opens nothing (JW-03)', async () => {
    const { email } = await signedIn(server)
    const app = await relyingParty(server, { firstParty: true })
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid' }))
    const back = await browser.submit('/login', { username: email, password: PASSWORD })
    const tokens = await app.redeem(back.url)
    expect((await me(tokens.access_token)).status).toBe(401)
    expect((await me(tokens.id_token ?? '')).status).toBe(401)
  })
})
