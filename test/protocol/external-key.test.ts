import { createSign, generateKeyPairSync, verify } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { rawSignature, signingHere } from '../../src/oidc/keys/external-key.ts'
import { newKey } from '../../src/oidc/keys/new-key.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { basic } from '../support/protocol.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

/**
 * What we rely on of oidc-provider's experiment `externalSigningSupport`: an upgrade that changes
 * it fails here.
 */
describe('signatures made on the thread that asks', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  it.each(['ES256', 'EdDSA', 'RS256', 'PS256'] as const)(
    'JW-01 signs an ID token with %s that verifies against the published JWKS',
    async (alg) => {
      const party = await relyingParty(server, {
        firstParty: true,
        idTokenAlg: alg,
      })
      const account = await createAccount(server)
      const browser = new Browser(server.origin)
      await browser.visit(party.authorizationUrl({ scope: 'openid email' }))
      const { url } = await browser.submit('/login', {
        username: account.email,
        password: PASSWORD,
      })
      const form = {
        grant_type: 'authorization_code',
        code: url.searchParams.get('code') ?? '',
        redirect_uri: party.redirectUri,
      }
      const body = new URLSearchParams({
        ...form,
        code_verifier: party.verifierOf(url),
        client_id: party.clientId,
      }).toString()
      const headers = { ...basic(party), 'content-type': 'application/x-www-form-urlencoded' }
      const { id_token: token } = (await (
        await fetch(`${server.origin}/token`, { method: 'POST', headers, body })
      ).json()) as {
        id_token: string
      }

      expect(decodeProtectedHeader(token).alg).toBe(alg)
      const jwks = createRemoteJWKSet(new URL(`${server.origin}/jwks`))
      const { payload } = await jwtVerify(token, jwks, {
        issuer: server.origin,
        audience: party.clientId,
        algorithms: [alg],
      })
      expect(payload.sub).toBe(account.id)

      // The provider reads its own signature, too: an id_token_hint that names the session's
      // account needs no sign-in.
      const again = await browser.visit(
        party.authorizationUrl({ scope: 'openid', prompt: 'none', id_token_hint: token }),
      )
      expect(again.url.searchParams.get('error')).toBeNull()
      expect(again.url.searchParams.get('code')).toBeTruthy()
    },
  )

  it('JW-08 publishes public members only, one key of every algorithm', async () => {
    const { keys } = (await (await fetch(`${server.origin}/jwks`)).json()) as {
      keys: Record<string, string>[]
    }
    expect(new Set(keys.map(({ alg }) => alg))).toEqual(
      new Set(['ES256', 'EdDSA', 'PS256', 'RS256']),
    )
    for (const key of keys)
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(key).not.toHaveProperty(secret)
    expect(keys.find(({ alg }) => alg === 'ES256')).toMatchObject({
      kty: 'EC',
      crv: 'P-256',
      use: 'sig',
      kid: expect.any(String),
    })
  })
})

describe('ES256 signatures', () => {
  it('are two integers of 32 bytes each, whatever their lengths in DER (RFC 7518 3.4)', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const lengths = new Set<number>()
    for (let round = 0; round < 2000; round++) {
      const data = Buffer.from(`payload ${round}`)
      const der = createSign('sha256').update(data).sign(privateKey)
      lengths.add(der.length)
      const raw = rawSignature(der)
      expect(raw).toHaveLength(64)
      expect(verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw)).toBe(true)
    }
    // 70 to 72 bytes are common, 69 and fewer mean that an integer began with zeros.
    expect(lengths.size).toBeGreaterThan(2)
    expect(rawSignature(Buffer.from('3006020101020102', 'hex')).toString('hex')).toBe(
      `${'0'.repeat(62)}01${'0'.repeat(62)}02`,
    )
  })

  it('come from the key that the JWK names, at once and without a promise', async () => {
    const { kid, privateJwk, publicJwk } = await newKey('ES256')
    const key = signingHere({ ...privateJwk, kid, alg: 'ES256', use: 'sig' })
    if (!('sign' in key) || typeof key.sign !== 'function') throw new Error('no signing key')
    const signature = (key.sign as (data: Uint8Array) => unknown)(Buffer.from('data'))
    expect(signature).toBeInstanceOf(Uint8Array)
    expect(key).toMatchObject({
      kid,
      alg: 'ES256',
      use: 'sig',
      kty: 'EC',
      x: publicJwk['x'],
      y: publicJwk['y'],
    })
  })
})
