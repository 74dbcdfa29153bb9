import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { decodeJwt, SignJWT } from 'jose'
import { api, signIn as apiSignIn } from '../support/api.ts'
import { createClient, createResource, PASSWORD, REDIRECT_URI } from '../support/factories.ts'
import { fastest } from '../support/fastest.ts'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from '../support/loopback-certificate.ts'
import { storeOddClient } from '../support/odd-clients.ts'
import {
  type Answer,
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
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })

describe.each(STORAGES)('JSON web tokens, grants in %s', (storage) => {
  let server: TestServer
  let app: SignedInApp
  let serviceId: string
  /** What would be reached if a header were followed. */
  let listener: Server
  let hits = 0
  let bait: string
  /** Where a client publishes its keys. */
  let keyServer: ReturnType<typeof createTlsServer>
  let published: unknown = { keys: [] }
  let keysAt: string

  beforeAll(async () => {
    // In a realm of jest the provider does not find the dispatcher to which it adds a guard of its
    // own; ours is what is tested.
    jest.spyOn(console, 'warn').mockImplementation(() => undefined)
    server = await startServer({
      storage,
      outgoing: {
        isAllowed: (address) => address === '127.0.0.1',
        resolve: async () => ['127.0.0.1'],
        ca: LOOPBACK_CERTIFICATE,
      },
    })
    await createResource(server, { identifier: API, scopes: ['read'] })
    app = await signedInApp(server, { idTokenAlg: 'ES256' })
    listener = createServer((_request, response) => {
      hits++
      response.end(
        JSON.stringify({ keys: [{ ...ec.publicKey.export({ format: 'jwk' }), kid: 'k1' }] }),
      )
    }).listen(0, '127.0.0.1')
    keyServer = createTlsServer(
      { cert: LOOPBACK_CERTIFICATE, key: LOOPBACK_KEY },
      (_request, response) => {
        response.end(JSON.stringify(published))
      },
    ).listen(0, '127.0.0.1')
    await Promise.all([once(listener, 'listening'), once(keyServer, 'listening')])
    bait = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/keys`
    keysAt = `https://localhost:${(keyServer.address() as AddressInfo).port}/jwks`
    const jwks = { keys: [publicJwk(ec.publicKey, 'k1')] }
    const registered = { type: 'service', authMethod: 'private_key_jwt', jwks } as const
    serviceId = (await createClient(server, registered)).clientId
  })
  afterAll(async () => {
    listener.close()
    keyServer.close()
    await server.stop()
  })

  const publicJwk = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid })

  async function serviceAt(keysUri: string, alg: string): Promise<string> {
    const metadata = {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: alg,
      jwks_uri: keysUri,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    }
    const odd = { secret: null, metadata }
    return (await storeOddClient(server, 'its server is on loopback', odd)).clientId
  }

  type Part = Readonly<Record<string, unknown>>
  const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')

  /** A JWT exactly as told, signed by whatever `by` makes of it. */
  function forge(header: Part, payload: Part, by: (input: string) => Buffer | string): string {
    const input = `${encode(header)}.${encode(payload)}`
    const signature = by(input)
    return `${input}.${typeof signature === 'string' ? signature : signature.toString('base64url')}`
  }
  const byKey =
    (key: KeyObject) =>
    (input: string): Buffer =>
      sign(
        'sha256',
        Buffer.from(input),
        key.asymmetricKeyType === 'ec' ? { key, dsaEncoding: 'ieee-p1363' } : key,
      )
  const byMac =
    (secret: string | Buffer) =>
    (input: string): Buffer =>
      createHmac('sha256', secret).update(input).digest()

  function claims(change: Part = {}, id = serviceId): Part {
    const now = Math.floor(Date.now() / 1000)
    return {
      iss: id,
      sub: id,
      aud: server.origin,
      jti: randomUUID(),
      iat: now,
      exp: now + 60,
      ...change,
    }
  }
  const present = (assertion: string): Promise<Answer> =>
    post(server, '/token', {
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION,
      client_assertion: assertion,
      resource: API,
      scope: 'read',
    })
  const good = (header: Part = {}, change: Part = {}, id = serviceId): Promise<Answer> =>
    present(forge({ alg: 'ES256', kid: 'k1', ...header }, claims(change, id), byKey(ec.privateKey)))

  /** Every place that reads a signed token, and whether it took this one. */
  const PLACES: Readonly<Record<string, (token: string) => Promise<boolean>>> = {
    'client_assertion at /token': async (token) => (await present(token)).status === 200,
    'id_token_hint at /auth': async (token) => {
      const { location } = await get(
        authorizationUrl(server, app.client.clientId, { id_token_hint: token }),
      )
      return location?.searchParams.get('error') !== 'invalid_request'
    },
    'id_token_hint at /session/end': async (token) => {
      const url = new URL('/session/end', server.origin)
      url.search = new URLSearchParams({ id_token_hint: token }).toString()
      return (await get(url)).status !== 400
    },
    'Bearer at the account API': async (token) =>
      (await api(server, 'POST /user/me', undefined, { token })).status === 200,
    'Bearer at /userinfo': async (token) =>
      (await get(new URL('/userinfo', server.origin), { authorization: `Bearer ${token}` }))
        .status === 200,
    introspection: async (token) => {
      const { body } = await post(server, '/token/introspection', { token }, basic(app.client))
      return body.active === true
    },
    'refresh_token at /token': async (token) => (await app.refresh(token)).status === 200,
    'code at /token': async (token) => (await app.redeem(token)).status === 200,
  }

  async function genuine() {
    const { body } = await app.redeem(await app.code())
    const forApi = await app.redeem(await app.code({ scope: 'openid read', resource: API }))
    const account = await apiSignIn(server, { email: app.account.email, password: PASSWORD })
    return {
      idToken: body.id_token as string,
      opaque: body.access_token as string,
      refresh: body.refresh_token as string,
      forApi: forApi.body.access_token as string,
      account: account.token,
      assertion: forge({ alg: 'ES256', kid: 'k1' }, claims(), byKey(ec.privateKey)),
      code: await app.code(),
    }
  }

  describe('algorithms', () => {
    it("JW-01 no place takes a token by none, by HMAC of what is public, or by a key of one's own, whatever the header calls it", async () => {
      const { idToken, account } = await genuine()
      const { keys } = (await get(new URL('/jwks', server.origin))).body as { keys: Part[] }
      const publicKey = keys.find(({ alg }) => alg === 'ES256') ?? {}
      const pem = ec.publicKey.export({ type: 'spki', format: 'pem' })
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
      const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
      const payloads: Readonly<Record<string, Part>> = {
        'client_assertion at /token': claims(),
        'id_token_hint at /auth': decodeJwt(idToken),
        'id_token_hint at /session/end': decodeJwt(idToken),
        'Bearer at the account API': decodeJwt(account),
      }
      const kid = publicKey['kid']
      const attacks: readonly [string, (payload: Part, typ: string, id: unknown) => string][] = [
        ['none', (payload, typ) => forge({ alg: 'none', typ }, payload, () => '')],
        ['None', (payload, typ) => forge({ alg: 'None', typ }, payload, () => '')],
        ['nOnE', (payload, typ, id) => forge({ alg: 'nOnE', typ, kid: id }, payload, () => '')],
        [
          'none with a signature',
          (payload, typ) => forge({ alg: 'none', typ }, payload, byKey(own)),
        ],
        ['an empty alg', (payload, typ) => forge({ alg: '', typ }, payload, () => '')],
        ['no alg', (payload, typ) => forge({ typ }, payload, () => '')],
        [
          'a list as alg',
          (payload, typ) => forge({ alg: ['none', 'ES256'], typ }, payload, byKey(own)),
        ],
        [
          'HS256 by the public key as PEM',
          (payload, typ, id) => forge({ alg: 'HS256', typ, kid: id }, payload, byMac(pem)),
        ],
        [
          'HS256 by the public JWK',
          (payload, typ, id) =>
            forge({ alg: 'HS256', typ, kid: id }, payload, byMac(JSON.stringify(publicKey))),
        ],
        [
          'HS256 by its x',
          (payload, typ, id) =>
            forge(
              { alg: 'HS256', typ, kid: id },
              payload,
              byMac(Buffer.from(String(publicKey['x']), 'base64url')),
            ),
        ],
        [
          'HS256 by nothing',
          (payload, typ, id) => forge({ alg: 'HS256', typ, kid: id }, payload, byMac('')),
        ],
        ['HS512', (payload, typ, id) => forge({ alg: 'HS512', typ, kid: id }, payload, byMac(pem))],
        [
          'ES256 by another key',
          (payload, typ, id) => forge({ alg: 'ES256', typ, kid: id }, payload, byKey(own)),
        ],
        [
          'ES256 by another key and no kid',
          (payload, typ) => forge({ alg: 'ES256', typ }, payload, byKey(own)),
        ],
        [
          'ES256 by zeros',
          (payload, typ, id) =>
            forge({ alg: 'ES256', typ, kid: id }, payload, () => Buffer.alloc(64)),
        ],
        [
          'ES256 by nothing',
          (payload, typ, id) => forge({ alg: 'ES256', typ, kid: id }, payload, () => ''),
        ],
        [
          'RS256 by another key',
          (payload, typ, id) => forge({ alg: 'RS256', typ, kid: id }, payload, byKey(rsa)),
        ],
        [
          'PS256 by another key',
          (payload, typ, id) => forge({ alg: 'PS256', typ, kid: id }, payload, byKey(rsa)),
        ],
        [
          'ES256K',
          (payload, typ, id) => forge({ alg: 'ES256K', typ, kid: id }, payload, byKey(own)),
        ],
        [
          'EdDSA of another kind',
          (payload, typ, id) =>
            forge({ alg: 'EdDSA', typ, kid: id }, payload, () => Buffer.alloc(64)),
        ],
      ]
      let count = 0
      for (const [place, payload] of Object.entries(payloads))
        for (const [what, attack] of attacks) {
          const typ = place.includes('API') ? 'at+jwt' : 'JWT'
          const token = attack(payload, typ, place.includes('assertion') ? 'k1' : kid)
          expect([place, what, await PLACES[place]?.(token)]).toEqual([place, what, false])
          count++
        }
      expect(count).toBeGreaterThanOrEqual(60)
    })

    it('JW-01 offers ES256, RS256, PS256 and EdDSA only, nowhere none or HMAC', async () => {
      const { body } = await get(new URL('/.well-known/openid-configuration', server.origin))
      const lists = Object.entries(body as Record<string, unknown>).filter(([name]) =>
        name.includes('alg_values'),
      )
      expect(lists.length).toBeGreaterThan(1)
      for (const [name, algs] of lists)
        expect([
          name,
          (algs as string[]).filter((alg) => !/^(ES256|RS256|PS256|EdDSA|Ed25519)$/.test(alg)),
        ]).toEqual([name, []])
    })

    it.each(['ES256', 'RS256', 'PS256', 'EdDSA'] as const)(
      'JW-01 a client that asks for %s ID tokens gets them, and other clients are not touched',
      async (alg) => {
        const mine = await signedInApp(server, { idTokenAlg: alg })
        const { body } = await mine.redeem(await mine.code())
        const header = JSON.parse(Buffer.from(body.id_token.split('.')[0], 'base64url').toString())
        expect(header.alg).toBe(alg)
        const registered = await server.context.clients.create({
          name: 'App',
          redirectUris: [REDIRECT_URI],
          idTokenAlg: alg,
        })
        expect(registered.client.metadata).toMatchObject({ id_token_signed_response_alg: alg })
        const { keys } = (await get(new URL('/jwks', server.origin))).body as { keys: Part[] }
        expect(keys.find(({ kid }) => kid === header.kid)).toMatchObject({ alg, use: 'sig' })
      },
    )
  })

  describe('headers', () => {
    it.each<[string, () => Part]>([
      ['jku', () => ({ jku: bait })],
      ['jku and an unknown kid', () => ({ jku: bait, kid: 'other' })],
      ['x5u', () => ({ x5u: bait })],
      ['jwk', () => ({ jwk: publicJwk(ec.publicKey, 'k1'), kid: 'other' })],
      ['x5c', () => ({ x5c: ['MIIB'], kid: 'other' })],
      ['a kid that is a URL', () => ({ kid: bait })],
      ['a kid that is a path', () => ({ kid: '../../../../dev/null' })],
      ['a kid that is SQL', () => ({ kid: "k1' or '1'='1" })],
      ['a kid with NUL', () => ({ kid: 'k1\u0000' })],
      ['a kid that is a list', () => ({ kid: ['k1'] })],
    ])('JW-02 follows and trusts nothing in a header: %s', async (_what, header) => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      for (const place of [
        'client_assertion at /token',
        'id_token_hint at /auth',
        'Bearer at the account API',
      ]) {
        const token = forge({ alg: 'ES256', ...header() }, claims(), byKey(privateKey))
        expect([place, await PLACES[place]?.(token)]).toEqual([place, false])
      }
      expect(hits).toBe(0)
    })

    it.each<[string, Part]>([
      ['an unknown extension', { crit: ['urn:x'], 'urn:x': true }],
      ['unencoded payloads', { crit: ['b64'], b64: false }],
      ['nothing', { crit: [] }],
      ['something that is not there', { crit: ['exp'] }],
    ])('JW-02 refuses a token that makes %s critical', async (_what, header) => {
      expect((await good()).status).toBe(200)
      expect((await good(header)).status).toBe(401)
    })
  })

  describe('kinds of tokens', () => {
    /** Which token is meant for which place. */
    const MEANT: Readonly<Record<string, string>> = {
      'client_assertion at /token': 'assertion',
      'id_token_hint at /auth': 'idToken',
      'id_token_hint at /session/end': 'idToken',
      'Bearer at the account API': 'account',
      'Bearer at /userinfo': 'opaque',
      introspection: 'opaque refresh',
      'refresh_token at /token': 'refresh',
      'code at /token': 'code',
    }

    it('JW-03 each of 8 places takes its own kind of token and none of the others', async () => {
      const { keys } = await server.context.keys.load()
      const key = keys.find(({ alg }) => alg === 'ES256')
      const logoutToken = await new SignJWT({
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      })
        .setProtectedHeader({ alg: 'ES256', typ: 'logout+jwt', kid: key?.kid ?? '' })
        .setIssuer(server.origin)
        .setAudience(`${server.origin}/api/auth`)
        .setSubject(app.account.id)
        .setIssuedAt()
        .setJti(randomUUID())
        .setExpirationTime('2m')
        .sign(key as never)
      const kinds = { ...(await genuine()), logoutToken }
      expect(Object.keys(kinds)).toHaveLength(8)
      for (const [place, takes] of Object.entries(PLACES)) {
        const strange = Object.entries(kinds).filter(
          ([kind]) => !MEANT[place]?.split(' ').includes(kind),
        )
        for (const [kind, token] of strange)
          expect([place, kind, await takes(token)]).toEqual([place, kind, false])
      }
      const own = await genuine()
      for (const [place, takes] of Object.entries(PLACES)) {
        const [kind = ''] = MEANT[place]?.split(' ') ?? []
        expect([place, kind, await takes(own[kind as keyof typeof own])]).toEqual([
          place,
          kind,
          true,
        ])
      }
    })
  })

  describe('times and audiences', () => {
    const at = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds

    it.each<[string, boolean, () => Part]>([
      ['expired 5 s ago', true, () => ({ iat: at(-60), exp: at(-5) })],
      ['expired 16 s ago', false, () => ({ iat: at(-60), exp: at(-16) })],
      ['valid in 5 s', true, () => ({ nbf: at(5) })],
      ['valid in 16 s', false, () => ({ nbf: at(16) })],
      ['issued in 5 s', true, () => ({ iat: at(5) })],
      ['issued in 16 s', false, () => ({ iat: at(16) })],
      ['without expiry', false, () => ({ exp: undefined })],
      ['with an expiry as text', false, () => ({ exp: String(at(60)) })],
      ['with an expiry without end', false, () => ({ exp: 1e300 })],
      ['without jti', false, () => ({ jti: undefined })],
      ['for a list with only us in it', true, () => ({ aud: [server.origin] })],
      ['for a list with us twice in it', false, () => ({ aud: [server.origin, server.origin] })],
      ['for an empty list', false, () => ({ aud: [] })],
      ['for a list with something that is no text', false, () => ({ aud: [server.origin, 1] })],
      ['for us with a slash', false, () => ({ aud: `${server.origin}/` })],
      ['for us in capitals', false, () => ({ aud: server.origin.toUpperCase() })],
      ['for nobody', false, () => ({ aud: undefined })],
    ])('JW-04 an assertion %s is taken: %s', async (_what, isTaken, change) => {
      const { status, body } = await good({}, change())
      expect([status, body.error]).toEqual(isTaken ? [200, undefined] : [401, 'invalid_client'])
    })

    it('JW-04 an access token for the account API ends within 15 s of its time', async () => {
      const { keys } = await server.context.keys.load()
      const key = keys.find(({ alg }) => alg === 'ES256')
      const { account } = await genuine()
      const until = (exp: number): Promise<string> =>
        new SignJWT({ ...decodeJwt(account), exp })
          .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key?.kid ?? '' })
          .sign(key as never)
      const takes = PLACES['Bearer at the account API']
      expect([await takes?.(await until(at(60))), await takes?.(await until(at(-16)))]).toEqual([
        true,
        false,
      ])
    })
  })

  describe('encryption', () => {
    it('JW-05 is off: nothing is offered, and a JWE is refused wherever it comes, at once', async () => {
      const { body } = await get(new URL('/.well-known/openid-configuration', server.origin))
      expect(Object.keys(body).filter((name) => name.includes('encryption'))).toEqual([])
      const bombs = [
        { alg: 'PBES2-HS256+A128KW', enc: 'A128CBC-HS256', p2c: 10_000_000, p2s: 'c2FsdA' },
        { alg: 'dir', enc: 'A128GCM', zip: 'DEF' },
        { alg: 'RSA-OAEP', enc: 'A256GCM', zip: 'DEF' },
        { alg: 'ECDH-ES', enc: 'A256GCM', epk: ec.publicKey.export({ format: 'jwk' }) },
      ]
      for (const header of bombs) {
        const token = [
          encode(header),
          'a'.repeat(300),
          'aaaaaaaaaaaaaaaa',
          'A'.repeat(1200),
          'aaaaaaaaaaaaaaaaaaaaaa',
        ].join('.')
        for (const [place, takes] of Object.entries(PLACES)) {
          const cost = await fastest(
            async () => expect([place, await takes(token)]).toEqual([place, false]),
            2,
          )
          expect(cost).toBeLessThan(1000)
        }
      }
    })
  })

  describe('keys', () => {
    it('JW-06 our own are P-256, Ed25519 or RSA of 3072 bits with e=65537', async () => {
      const { keys } = (await get(new URL('/jwks', server.origin))).body as {
        keys: Record<string, string>[]
      }
      expect(keys).toHaveLength(4)
      expect(new Set(keys.map(({ alg }) => alg))).toEqual(
        new Set(['ES256', 'EdDSA', 'PS256', 'RS256']),
      )
      for (const { kty, crv, n = '', e } of keys) {
        if (kty === 'RSA')
          expect([Buffer.from(n, 'base64url').length * 8 >= 3072, e]).toEqual([true, 'AQAB'])
        else expect(['P-256', 'Ed25519']).toContain(crv)
      }
    })

    it('JW-06 CL-04 the keys at a jwks_uri are fetched by the guard and held to the same rules as registered ones', async () => {
      const sent = async (keys: unknown, key: KeyObject, alg: string): Promise<number> => {
        published = { keys }
        const id = await serviceAt(keysAt, alg)
        return (await present(forge({ alg, kid: 'k1' }, claims({}, id), byKey(key)))).status
      }
      const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
      const strong = generateKeyPairSync('rsa', { modulusLength: 2048 })
      const odd = generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 })
      const many = Array.from({ length: 11 }, (_, index) =>
        publicJwk(ec.publicKey, index === 0 ? 'k1' : `k${index}x`),
      )
      expect(await sent([publicJwk(ec.publicKey, 'k1')], ec.privateKey, 'ES256')).toBe(200)
      expect(await sent([publicJwk(strong.publicKey, 'k1')], strong.privateKey, 'RS256')).toBe(200)
      const sealing = { ...publicJwk(strong.publicKey, 'k0'), use: 'enc', alg: 'RSA-OAEP' }
      const beside = [sealing, publicJwk(ec.publicKey, 'k1')]
      expect(await sent(beside, ec.privateKey, 'ES256')).toBe(200)
      expect(await sent([{ ...sealing, kid: 'k1' }], strong.privateKey, 'RS256')).toBe(401)
      expect(await sent([publicJwk(weak.publicKey, 'k1')], weak.privateKey, 'RS256')).toBe(401)
      expect(await sent([publicJwk(odd.publicKey, 'k1')], odd.privateKey, 'RS256')).toBe(401)
      expect(await sent(many, ec.privateKey, 'ES256')).toBe(401)
      expect(
        await sent(
          [{ ...publicJwk(ec.publicKey, 'k1'), pad: 'x'.repeat(66_000) }],
          ec.privateKey,
          'ES256',
        ),
      ).toBe(401)
      expect(await sent('nothing', ec.privateKey, 'ES256')).toBe(401)
      expect(
        await sent(
          [1, null, publicJwk(weak.publicKey, 'k2'), publicJwk(ec.publicKey, 'k1')],
          ec.privateKey,
          'ES256',
        ),
      ).toBe(200)
    })

    it('JW-08 private keys are in the database only under a key of the operator, and nothing shows them', async () => {
      const { keys } = await server.context.keys.load()
      const secrets = keys.flatMap((key) =>
        ['d', 'p', 'q', 'dp', 'dq', 'qi'].flatMap((name) =>
          typeof key[name] === 'string' ? [key[name]] : [],
        ),
      )
      expect(secrets.length).toBeGreaterThanOrEqual(14)
      const { rows } = await server.context.database.pool.query<{ line: string }>(
        'select t::text as "line" from "signing_key" t',
      )
      const seen = [
        ...rows.map(({ line }) => line),
        (await get(new URL('/jwks', server.origin))).text,
      ].join('\n')
      for (const secret of secrets) {
        expect(seen.includes(secret)).toBe(false)
        expect(seen.includes(Buffer.from(secret).toString('hex'))).toBe(false)
        expect(seen.includes(Buffer.from(secret, 'base64url').toString('hex'))).toBe(false)
      }
    })
  })
})
