import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt, decodeProtectedHeader, importJWK, type JWTPayload, SignJWT } from 'jose'
import { Browser, type Page } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import {
  createAccount,
  createClient,
  createResource,
  type NewClient,
} from '../support/factories.ts'
import { send } from '../support/http.ts'
import {
  authorizationUrl,
  basic,
  nobody,
  post,
  type SignedInApp,
  signedInApp,
  signIn,
  VERIFIER,
} from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

const BYE = 'https://client.example/bye'
/** A key signs at once, and leaves the JWKS a moment after it has stopped. */
const KEYS = { rotationDays: 90, publishSeconds: 0, retireSeconds: 0.2, pollSeconds: 0.1 }

let server: TestServer
beforeAll(async () => {
  server = await startServer({ config: { keys: KEYS } })
})
afterAll(() => server.stop())

const kids = async () =>
  ((await (await send(`${server.origin}/jwks`)).json()) as { keys: { kid: string }[] }).keys.map(
    ({ kid }) => kid,
  )

async function rotate(
  alg: 'ES256' | 'RS256' | 'EdDSA',
  { isEmergency = false } = {},
): Promise<void> {
  const old = (await server.context.keys.load()).keys.find((key) => key.alg === alg)?.kid ?? ''
  await server.context.keys.rotate(alg, { isEmergency })
  await eventually(async () => {
    await server.context.authorizationServer.reloadKeys()
    return (await kids()).includes(old)
  }, false)
}

interface WithToken extends SignedInApp {
  readonly idToken: string
}

async function signedIn(options: NewClient = {}): Promise<WithToken> {
  // Whose keys these tests rotate.
  const app = await signedInApp(server, { idTokenAlg: 'ES256', ...options })
  return { ...app, idToken: (await app.redeem(await app.code())).body.id_token }
}

const endSession = (hint: string): string =>
  `/session/end?${new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: BYE }).toString()}`
const signOut = ({ browser }: SignedInApp, hint: string): Promise<Page> =>
  browser.copy().visit(endSession(hint))
const silently = async ({ browser, client }: SignedInApp, hint: string): Promise<string | null> => {
  const { url } = await browser.visit(
    authorizationUrl(server, client.clientId, { prompt: 'none', id_token_hint: hint }),
  )
  return url.searchParams.has('code') ? 'code' : url.searchParams.get('error')
}
/** `now`: goes on by itself, with a button for who has no JavaScript. `asked`: the person decides. */
const kindOf = (page: Page): string =>
  page.status !== 200
    ? String(page.status)
    : page
          .form('/session/end/confirm')
          .fields.some(({ name, type }) => name === 'logout' && type === 'hidden')
      ? 'now'
      : 'asked'

/** An ID token that the server could have made: by the key of an algorithm that signs now. */
async function forge(
  claims: JWTPayload,
  { alg = 'ES256', typ }: { alg?: string; typ?: string } = {},
): Promise<string> {
  const key = (await server.context.keys.load()).keys.find((one) => one.alg === alg)
  const signer = new SignJWT(claims).setProtectedHeader({
    alg,
    kid: key?.kid ?? '',
    ...(typ ? { typ } : {}),
  })
  return signer.sign(await importJWK(key as never, alg))
}

describe('id_token_hint', () => {
  it.each(['ES256', 'RS256', 'EdDSA'] as const)(
    'JW-07 %s: is good after its key has left the JWKS, and that key for nothing else',
    async (alg) => {
      const app = await signedIn({ idTokenAlg: alg })
      const { kid } = decodeProtectedHeader(app.idToken)
      await rotate(alg)
      expect(await kids()).not.toContain(kid)
      expect(await silently(app, app.idToken)).toBe('code')
      expect(kindOf(await signOut(app, app.idToken))).toBe('now')
    },
  )

  it('JW-07 is bad for good when its key was ended in an emergency, and so are those of older keys', async () => {
    const older = await signedIn()
    await rotate('ES256')
    const app = await signedIn()
    expect(await silently(older, older.idToken)).toBe('code')
    await rotate('ES256', { isEmergency: true })
    for (const one of [older, app]) {
      expect(await silently(one, one.idToken)).toBe('invalid_request')
      expect((await signOut(one, one.idToken)).status).toBe(400)
    }
  })

  it('JW-07 is bad two years after its key has stopped signing', async () => {
    const app = await signedIn()
    await rotate('ES256')
    const { kid } = decodeProtectedHeader(app.idToken)
    const aged = (days: number) =>
      server.context.database.pool.query(
        `update "signing_key" set "active_at" = now() - interval '1200 days', "retired_at" = now() - $2 * interval '1 day', "expires_at" = now() - ($2 - 1) * interval '1 day' where "kid" = $1`,
        [kid, days],
      )
    const reload = async () => {
      await rotate('RS256')
      return signOut(app, hint)
    }
    const then = Math.floor(Date.now() / 1000) - 740 * 86_400
    const { keys } = await server.context.keys.load()
    expect(keys.map((key) => key.kid)).not.toContain(kid)
    const { rows } = await server.context.database.pool.query<{ private_box: Buffer }>(
      'select "private_box" from "signing_key" where "kid" = $1',
      [kid],
    )
    const jwk = JSON.parse(
      server.context.box.open(rows[0]?.private_box ?? Buffer.alloc(0), kid ?? '').toString(),
    ) as never
    const hint = await new SignJWT({ ...decodeJwt(app.idToken), iat: then, exp: then + 3600 })
      .setProtectedHeader({ alg: 'ES256', kid: kid ?? '' })
      .sign(await importJWK(jwk, 'ES256'))
    await aged(729)
    expect((await reload()).status).toBe(200)
    await aged(731)
    expect((await reload()).status).toBe(400)
  })

  it('JW-07 JW-01 is bad if it is issued outside of the time of its key, or is no ID token of this client', async () => {
    const app = await signedIn()
    const claims = decodeJwt(app.idToken)
    const hour = 3600
    expect((await signOut(app, await forge(claims))).status).toBe(200)
    const bad: [string, Promise<string>][] = [
      ['issued before its key signed', forge({ ...claims, iat: (claims.iat ?? 0) - hour })],
      [
        'issued later than now',
        forge({ ...claims, iat: (claims.iat ?? 0) + hour, exp: (claims.exp ?? 0) + hour }),
      ],
      ['without iat', forge({ ...claims, iat: undefined as never })],
      ['without exp', forge({ ...claims, exp: undefined as never })],
      ['of another issuer', forge({ ...claims, iss: 'https://other.example' })],
      ['for another client', forge({ ...claims, aud: (await createClient(server)).clientId })],
      [
        'a logout token',
        forge({ ...claims, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }),
      ],
      ['of another type', forge(claims, { typ: 'logout+jwt' })],
      ['an access token', forge(claims, { typ: 'at+jwt' })],
    ]
    for (const [what, hint] of bad) {
      const told = await silently(app, await hint)
      expect([what, told]).toEqual([what, 'invalid_request'])
      if (what !== 'for another client')
        expect([what, (await signOut(app, await hint)).status]).toEqual([what, 400])
    }
  })

  it('JW-01 is of any algorithm of ours, whatever the client has now', async () => {
    const app = await signedIn({ idTokenAlg: 'RS256' })
    for (const alg of ['ES256', 'PS256', 'EdDSA'])
      expect(await silently(app, await forge(decodeJwt(app.idToken), { alg }))).toBe('code')
    const hs256 = await new SignJWT(decodeJwt(app.idToken))
      .setProtectedHeader({ alg: 'HS256', kid: decodeProtectedHeader(app.idToken).kid ?? '' })
      .sign(Buffer.from(app.client.clientSecret ?? ''))
    expect(await silently(app, hs256)).toBe('invalid_request')
  })
})

describe('sid in ID tokens', () => {
  it('is the same in every one of a sign-in, by both ways and after a refresh, and another for another client', async () => {
    const app = await signedInApp(server)
    const scope = 'openid offline_access'
    const short = (await app.redeem(await app.code({ scope }))).body
    const long = (await app.redeem(await app.code({ scope }), { unheard: 'of' })).body
    const refreshed = [
      (await app.refresh(short.refresh_token)).body,
      (await app.refresh(long.refresh_token, { unheard: 'of' })).body,
    ]
    const sids = [short, long, ...refreshed].map(
      (body: { id_token: string }) => decodeJwt(body.id_token)['sid'],
    )
    expect(sids[0]).toMatch(/^[\w-]{20,}$/)
    expect(new Set(sids).size).toBe(1)

    const other = await createClient(server, { firstParty: true, secret: null })
    const { url } = await app.browser.visit(authorizationUrl(server, other.clientId))
    const fields = {
      grant_type: 'authorization_code',
      code: url.searchParams.get('code') ?? '',
      redirect_uri: other.redirectUri,
    }
    const { body } = await post(server, '/token', {
      ...fields,
      code_verifier: VERIFIER,
      client_id: other.clientId,
    })
    expect(decodeJwt(body.id_token)['sid']).toMatch(/^[\w-]{20,}$/)
    expect(decodeJwt(body.id_token)['sid']).not.toBe(sids[0])
  })
})

describe('signing out with a hint', () => {
  it('LO-01 does not ask about the very session that the hint is of, in an app of the operator', async () => {
    const app = await signedIn()
    const page = await app.browser.visit(endSession(app.idToken))
    expect(kindOf(page)).toBe('now')
    expect((await app.browser.submit(page.form('/session/end/confirm'))).url.href).toBe(BYE)
    expect(await silently(app, app.idToken)).toBe('login_required')
  })

  it('LO-01 asks about another session: of the same person elsewhere, or later', async () => {
    const app = await signedIn()
    const elsewhere = new Browser(server.origin)
    await elsewhere.visit(authorizationUrl(server, app.client.clientId))
    await signIn(elsewhere, app.account.email)
    expect(kindOf(await elsewhere.visit(endSession(app.idToken)))).toBe('asked')
    expect(
      kindOf(await signOut(app, await forge({ ...decodeJwt(app.idToken), sid: nobody() }))),
    ).toBe('asked')
    const other = await createAccount(server)
    expect(
      kindOf(await signOut(app, await forge({ ...decodeJwt(app.idToken), sub: other.id }))),
    ).toBe('asked')
  })

  it('LO-01 without sid, takes a hint that is not older than the sign-in', async () => {
    const app = await signedIn()
    const { sid: _sid, ...claims } = decodeJwt(app.idToken)
    expect(kindOf(await signOut(app, await forge(claims)))).toBe('now')
    expect(
      kindOf(await signOut(app, await forge({ ...claims, iat: Number(claims['auth_time']) - 1 }))),
    ).toBe('asked')
    expect(
      kindOf(
        await signOut(
          app,
          await forge({
            ...claims,
            aud: (await createClient(server, { firstParty: true })).clientId,
          }),
        ),
      ),
    ).not.toBe('now')
  })

  it('LO-01 asks for an app that is not of the operator, and without a hint', async () => {
    const app = await signedIn()
    expect(
      kindOf(await app.browser.copy().visit(`/session/end?client_id=${app.client.clientId}`)),
    ).toBe('asked')
    const foreign = await createClient(server)
    await app.browser.visit(authorizationUrl(server, foreign.clientId))
    const { url } = await app.browser.submit('/consent', {}, { button: 'allow' })
    const fields = {
      grant_type: 'authorization_code',
      code: url.searchParams.get('code') ?? '',
      redirect_uri: foreign.redirectUri,
    }
    const { body } = await post(
      server,
      '/token',
      { ...fields, code_verifier: VERIFIER },
      basic(foreign),
    )
    expect(kindOf(await signOut(app, body.id_token))).toBe('asked')
  })
})

it('JW-07 an API never sees a token of a key that it could not have known for long: a new one is published ahead', async () => {
  await createResource(server, { identifier: 'https://ahead.example/' })
  await using plain = await startServer()
  expect(plain.config.keys.publishSeconds).toBe(86_400)
  const before = Date.now()
  const kid = await plain.context.keys.rotate('ES256')
  const row = (await plain.context.keys.list()).find((key) => key.kid === kid)
  expect((row?.activeAt.getTime() ?? 0) - before).toBeGreaterThanOrEqual(86_400_000)
})
