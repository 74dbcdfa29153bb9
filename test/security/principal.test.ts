import { createPrivateKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt, type JWTPayload, SignJWT } from 'jose'
import type { Context } from 'koa'
import { findPrincipal } from '../../src/http/api/principal.ts'
import { AccessTokens } from '../../src/oidc/tokens/access-tokens.ts'
import { api, type SignedIn, signedIn, startApi } from '../support/api.ts'
import type { TestServer } from '../support/server.ts'

describe('who calls an API', () => {
  let server: TestServer
  let owner: SignedIn
  let person: JWTPayload
  let service: JWTPayload
  let elsewhere: AccessTokens
  beforeAll(async () => {
    server = await startApi()
    owner = await signedIn(server)
    person = decodeJwt(owner.token)
    const { sid: _sid, ...rest } = person
    service = { ...rest, sub: 'importer', client_id: 'importer', scope: 'admin:clients account' }
    elsewhere = new AccessTokens({
      issuer: server.origin,
      audience: `${server.origin}/api/admin`,
      provider: () => server.context.authorizationServer.provider,
    })
  })
  afterAll(() => server.stop())

  async function sign(claims: JWTPayload): Promise<string> {
    const jwk = (await server.context.keys.load()).keys.find(({ alg }) => alg === 'ES256')
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: jwk?.kid ?? '' })
      .sign(createPrivateKey({ key: jwk as never, format: 'jwk' }))
  }
  const verify = async (claims: JWTPayload) =>
    server.context.accessTokens.verify(await sign(claims))
  const principalOf = async (claims: JWTPayload, isAdmitted = true) => {
    const authorization = `Bearer ${await sign(claims)}`
    const ctx = { headers: { authorization } } as unknown as Context
    return findPrincipal(ctx, server.context, async () => isAdmitted)
  }

  it('is a person where a token has a session, and a service where a client is its own subject', async () => {
    const { client_id: clientId, iat: issuedAt } = person
    expect(await verify(person)).toEqual({
      kind: 'person',
      accountId: owner.id,
      sessionId: owner.sessionId,
      clientId,
      issuedAt,
      scopes: ['account'],
    })
    expect(await verify(service)).toEqual({
      kind: 'service',
      clientId: 'importer',
      issuedAt,
      scopes: ['admin:clients', 'account'],
    })
  })

  it('JW-03 is nobody where a token is of neither kind', async () => {
    const { sid: _sid, ...withoutSession } = person
    for (const claims of [
      withoutSession,
      { ...service, sub: owner.id },
      { ...service, sid: 7 },
      { ...service, sid: null },
      { ...service, client_id: undefined },
      { ...service, sub: 'another' },
      { ...service, aud: [String(service.aud), 'https://api.example.org'] },
    ])
      expect([claims, await verify(claims)]).toEqual([claims, undefined])
  })

  it('JW-04 is known to the one API that a token is for', async () => {
    const there = { ...service, aud: `${server.origin}/api/admin` }
    expect(await elsewhere.verify(await sign(there))).toMatchObject({ kind: 'service' })
    expect(await elsewhere.verify(await sign(service))).toBeUndefined()
    expect(await verify(there)).toBeUndefined()
  })

  it('is asked of a live session if it is a person, and of the client if it is a service', async () => {
    expect(await principalOf(person)).toMatchObject({ kind: 'person', accountId: owner.id })
    expect(await principalOf(service)).toEqual({
      kind: 'service',
      clientId: 'importer',
      scopes: ['admin:clients', 'account'],
    })
    expect(await principalOf({ ...person, sid: 'of-nobody' })).toBeUndefined()
    expect(await principalOf(person, false)).toBeUndefined()
    expect(await principalOf(service, false)).toBeUndefined()
  })

  it('has to be a person at the account API: a service is nobody there', async () => {
    const token = await sign(service)
    const { status, body, headers } = await api(server, 'POST /user/me', {}, { token })
    expect([status, body.error]).toEqual([401, 'invalid_token'])
    expect(headers.get('www-authenticate')).toBe('Bearer realm="account", error="invalid_token"')
    const { email, password } = owner
    const signIn = await api(server, 'POST /sign-in/email', { email, password }, { token })
    expect(signIn.status).toBe(200)
  })
})
