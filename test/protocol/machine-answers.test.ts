import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { generateKeyPair, SignJWT } from 'jose'
import { createLogger } from '../../src/logger/logger.ts'
import type { NewClient } from '../support/factories.ts'
import { createClient } from '../support/factories.ts'
import { send } from '../support/http.ts'
import {
  type Answer,
  basic,
  nobody,
  post,
  type SignedInApp,
  signedInApp,
  VERIFIER,
} from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** What `HttpURLConnection` of JDK 17 sends. */
const JAVA = { accept: 'text/html, image/gif, image/jpeg, */*; q=0.2' }
const BROWSER = { accept: 'text/html,application/xhtml+xml' }

let written = ''
const destination = new Writable({
  write(chunk: Buffer, _encoding, done) {
    written += chunk.toString('utf8')
    done()
  },
})
let server: TestServer
beforeAll(async () => {
  server = await startServer({ logger: createLogger('info', destination) })
})
afterAll(() => server.stop())

describe('answers for programs', () => {
  it.each<[string, number, (headers: Record<string, string>) => Promise<Answer>]>([
    [
      '/token without client',
      400,
      (headers) => post(server, '/token', { grant_type: 'refresh_token' }, headers),
    ],
    [
      '/token, wrong client',
      401,
      (headers) =>
        post(server, '/token', { grant_type: 'refresh_token', client_id: 'nobody' }, headers),
    ],
    [
      'introspection',
      401,
      (headers) =>
        post(
          server,
          '/token/introspection',
          { token: 'x' },
          { ...headers, ...basic({ clientId: 'x', clientSecret: 'y' }) },
        ),
    ],
    ['revocation', 400, (headers) => post(server, '/token/revocation', { token: 'x' }, headers)],
    ['userinfo', 401, (headers) => post(server, '/userinfo', { access_token: 'x' }, headers)],
    [
      '/token of 1 MB',
      413,
      (headers) => post(server, '/token', { a: 'x'.repeat(1_000_000) }, headers),
    ],
    ['/jwks, another method', 405, (headers) => post(server, '/jwks', {}, headers)],
    [
      'discovery, another method',
      405,
      (headers) => post(server, '/.well-known/openid-configuration', {}, headers),
    ],
  ])(
    'RFC 6749 5.2: %s is refused with %i in JSON, whatever Accept asks for',
    async (_what, status, ask) => {
      for (const headers of [JAVA, BROWSER]) {
        const answer = await ask(headers)
        expect([answer.status, answer.headers.get('content-type')]).toEqual([
          status,
          'application/json; charset=utf-8',
        ])
        expect(answer.body.error).toMatch(/^[a-z_]+$/)
      }
    },
  )

  it('pages are for people still', async () => {
    const answer = await send(`${server.origin}/auth?client_id=nobody`, { headers: BROWSER })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      400,
      'text/html; charset=utf-8',
    ])
  })

  it('RFC 6749 5.1: no cache keeps an answer of the token endpoint, an old one neither', async () => {
    const app = await signedInApp(server)
    const code = await app.code()
    const answers = [
      await app.redeem(code),
      await app.redeem(code),
      await post(server, '/token', {}),
      await app.redeem(nobody(), { scope: 'x' }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 400, 400])
    for (const { headers } of [
      ...answers,
      await post(server, '/token/introspection', {}, basic(app.client)),
    ])
      expect([headers.get('cache-control'), headers.get('pragma')]).toEqual([
        'no-store',
        'no-cache',
      ])
  })

  it.each(['password', 'implicit', 'urn:ietf:params:oauth:grant-type:device_code', 'nonsense'])(
    'RFC 6749 5.2: the grant type %s is unsupported, whoever asks',
    async (grantType) => {
      const app = await createClient(server)
      const asked = [
        {},
        basic(app),
        basic({ clientId: app.clientId, clientSecret: 'wrong' }),
        basic({ clientId: 'nobody', clientSecret: 'x' }),
      ]
      for (const headers of asked) {
        const { status, body } = await post(
          server,
          '/token',
          { grant_type: grantType, username: 'a', password: 'b' },
          headers,
        )
        expect([status, body.error]).toEqual([400, 'unsupported_grant_type'])
      }
    },
  )

  it('the grant types of discovery are the ones that are known', async () => {
    const { body } = await (async () => ({
      body: (await (
        await send(`${server.origin}/.well-known/openid-configuration`)
      ).json()) as Record<string, unknown>,
    }))()
    for (const grantType of body['grant_types_supported'] as string[])
      expect((await post(server, '/token', { grant_type: grantType })).body.error).not.toBe(
        'unsupported_grant_type',
      )
  })

  it('RFC 6749 2.3.1: a public client that sends an empty password is that client, at token and revocation', async () => {
    const app = await signedInApp(server, { secret: null })
    const named = basic({ clientId: app.client.clientId, clientSecret: '' })
    const byHeader = await app.redeem(
      await app.code({ scope: 'openid offline_access' }),
      { client_id: undefined },
      named,
    )
    expect(byHeader.status).toBe(200)
    expect((await app.redeem(await app.code(), {}, named)).status).toBe(200)
    expect(
      (await post(server, '/token/revocation', { token: byHeader.body.access_token }, named))
        .status,
    ).toBe(200)
    const { status, body } = await app.redeem(
      await app.code(),
      { client_id: 'somebody-else' },
      named,
    )
    expect([status, body.error]).toEqual([400, 'invalid_request'])
  })

  it('TK-07 an empty password is none for a client that has a secret', async () => {
    const app = await createClient(server)
    const fields = { grant_type: 'refresh_token', refresh_token: 'x' }
    const { status, body } = await post(
      server,
      '/token',
      fields,
      basic({ clientId: app.clientId, clientSecret: '' }),
    )
    expect([status, body.error]).toEqual([400, 'invalid_request'])
    const other = await createClient(server, { secret: null })
    expect(
      (await post(server, '/token', fields, basic({ clientId: other.clientId, clientSecret: 'x' })))
        .body.error,
    ).toBe('invalid_client')
  })
})

describe('the cause of a refusal', () => {
  const OTHER_VERIFIER = VERIFIER.replace('the', 'one')
  const GENERIC = 'grant request is invalid'
  const told = ({ status, body }: Answer) => [status, body.error, body.error_description]

  /** Both ways to the answer: the short one, and the library's own, which an unheard parameter leads to. */
  const WAYS = [{}, { unheard: 'of' }]

  const appOf = (options: NewClient = {}) => signedInApp(server, options)
  const expired = async (app: SignedInApp, model: string, artefact: string) => {
    await server.context.database.pool.query(
      `update "oidc_artifact" set "expires_at" = now() + interval '1 hour', "payload" = jsonb_set("payload", '{exp}', '1000') where "model" = $1 and "client_id" = $2`,
      [model, app.client.clientId],
    )
    return artefact
  }

  it('TK-07 is named to a client that has proven itself, of its own codes, by both ways', async () => {
    const app = await appOf({ refreshLeewaySeconds: 0 })
    for (const way of WAYS) {
      expect(
        told(await app.redeem(await app.code(), { code_verifier: OTHER_VERIFIER, ...way }))[2],
      ).toMatch(/^code_verifier does not match/)
      expect(
        told(await app.redeem(await app.code(), { code_verifier: undefined, ...way }))[2],
      ).toMatch(/^code_verifier is missing/)
      expect(
        told(
          await app.redeem(await app.code(), {
            redirect_uri: 'https://client.example/other',
            ...way,
          }),
        )[2],
      ).toMatch(/^redirect_uri is not/)
      const used = await app.code()
      await app.redeem(used)
      expect(told(await app.redeem(used, way))).toEqual([
        400,
        'invalid_grant',
        'the authorization code was used before',
      ])
    }
  })

  it('TK-03 is named to a client that has proven itself, of its own refresh tokens, by both ways', async () => {
    const app = await appOf({ refreshLeewaySeconds: 0 })
    for (const way of WAYS) {
      const { refresh_token: first } = (
        await app.redeem(await app.code({ scope: 'openid offline_access' }))
      ).body
      await app.refresh(first)
      expect(told(await app.refresh(first, way))).toEqual([
        400,
        'invalid_grant',
        'the refresh token was used before',
      ])
    }
  })

  it('of what expired is named too', async () => {
    const app = await appOf()
    for (const way of WAYS) {
      const code = await expired(app, 'AuthorizationCode', await app.code())
      expect(told(await app.redeem(code, way))[2]).toBe('the authorization code has expired')
      const { refresh_token: token } = (
        await app.redeem(await app.code({ scope: 'openid offline_access' }))
      ).body
      expect(told(await app.refresh(await expired(app, 'RefreshToken', token), way))[2]).toBe(
        'the refresh token has expired',
      )
    }
  })

  it('is not told of what is unknown or somebody else’s: both have the same bytes', async () => {
    const owner = await appOf()
    for (const app of [await appOf(), await appOf({ secret: null })])
      for (const way of WAYS) {
        const foreign = await app.redeem(await owner.code(), way)
        const unknown = await app.redeem(nobody(), way)
        expect(told(foreign)).toEqual([400, 'invalid_grant', GENERIC])
        expect(foreign.text).toBe(unknown.text)
        const { refresh_token: token } = (
          await owner.redeem(await owner.code({ scope: 'openid offline_access' }))
        ).body
        expect((await app.refresh(token, way)).text).toBe((await app.refresh(nobody(), way)).text)
      }
  })

  it('a public client hears of its mistakes, and one sentence of all that became of a code or token', async () => {
    const app = await appOf({ secret: null, refreshLeewaySeconds: 0 })
    expect(told(await app.redeem(await app.code(), { code_verifier: OTHER_VERIFIER }))[2]).toMatch(
      /^code_verifier does not match/,
    )
    expect(told(await app.redeem(await app.code(), { code_verifier: undefined }))[2]).toMatch(
      /^code_verifier is missing/,
    )
    expect(
      told(await app.redeem(await app.code(), { redirect_uri: 'https://client.example/other' }))[2],
    ).toMatch(/^redirect_uri is not/)
    const used = await app.code({ scope: 'openid offline_access' })
    const { refresh_token: token } = (await app.redeem(used)).body
    await app.refresh(token)
    for (const answer of [
      await app.refresh(token),
      await app.redeem(used),
      await app.redeem(nobody()),
      await app.redeem(await expired(app, 'AuthorizationCode', await app.code())),
    ])
      expect(told(answer)).toEqual([400, 'invalid_grant', GENERIC])
  })
})

describe('the log of refusals', () => {
  const lines = (clientId: string) =>
    written
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as {
            event?: string
            clientId?: string
            reason?: string
            error?: string
          },
      )
      .filter((line) => line.event === 'client.refused' && line.clientId === clientId)

  it('TK-07 LG-02 has the reason of every wrong assertion, and never the assertion', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const { privateKey: otherKey } = await generateKeyPair('ES256')
    const { exportJWK } = await import('jose')
    const { client } = await server.context.clients.create({
      name: 'Keyed',
      type: 'service',
      resources: [
        (
          await server.context.resources.create({
            identifier: 'https://keyed.example/',
            name: 'K',
            scopes: ['read'],
          })
        ).identifier,
      ],
      scopes: ['read'],
      authMethod: 'private_key_jwt',
      jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1' }] },
    })
    const now = Math.floor(Date.now() / 1000)
    const presented: string[] = []
    const present = async (change: Record<string, unknown>, key = privateKey) => {
      const claims = {
        iss: client.id,
        sub: client.id,
        aud: server.origin,
        jti: nobody(),
        iat: now,
        exp: now + 60,
        ...change,
      }
      const assertion = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .sign(key)
      presented.push(assertion)
      const fields = {
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      }
      const { status, body } = await post(server, '/token', fields)
      expect([status, body.error, body.error_description]).toEqual([
        401,
        'invalid_client',
        'client authentication failed',
      ])
    }
    await present({ aud: 'https://other.example' })
    await present({ exp: now - 60 })
    await present({ exp: now + 3600 })
    await present({ iss: 'someone' })
    await present({ jti: undefined })
    await present({}, otherKey)
    const reasons = lines(client.id).map(({ reason }) => reason)
    for (const word of [/aud/, /expired/, /five minutes/, /iss/, /jti/, /signature/])
      expect(reasons).toContainEqual(expect.stringMatching(word))
    for (const assertion of presented)
      for (const part of assertion.split('.').slice(1)) expect(written).not.toContain(part)
  })

  it('LG-02 has one line of a client that fails all the time, with its reason and without its secret', async () => {
    const app = await createClient(server)
    for (let count = 0; count < 20; count++)
      await post(
        server,
        '/token',
        { grant_type: 'refresh_token', refresh_token: 'x' },
        basic({ clientId: app.clientId, clientSecret: 'canary-secret' }),
      )
    expect(lines(app.clientId)).toEqual([
      expect.objectContaining({ error: 'invalid_client', reason: 'invalid secret provided' }),
    ])
    expect(written).not.toContain('canary-secret')
  })
})
