import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { SecretBox } from '../../src/crypto/secret-box.ts'
import { reseal } from '../../src/retention/reseal.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { createResource } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { basic, signedInApp } from '../support/protocol.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { TEST_SECRETS } from '../support/secrets.ts'
import { startServer, type TestServer } from '../support/server.ts'

const API = 'https://api.example/jobs'
/** Everything a thousand times faster: a JWKS cache of 0.3 s instead of five minutes. */
const CACHE_MS = 300
/** The instances hear of each other's rotations: within an hour none of them looks by itself. */
const TIMING = { rotationDays: 90, publishSeconds: 0.7, retireSeconds: 2, pollSeconds: 3600 }

/** An API that keeps our JWKS for its cache lifetime and not a moment longer or shorter. */
class ResourceServer {
  readonly #origin: string
  #cached: { jwks: ReturnType<typeof createLocalJWKSet>; until: number } | undefined

  constructor(origin: string) {
    this.#origin = origin
  }

  async kidOf(token: string): Promise<string | undefined> {
    if (!this.#cached || this.#cached.until < Date.now()) {
      const jwks = (await (await send(`${this.#origin}/jwks`)).json()) as JSONWebKeySet
      this.#cached = { jwks: createLocalJWKSet(jwks), until: Date.now() + CACHE_MS }
    }
    const { protectedHeader } = await jwtVerify(token, this.#cached.jwks, {
      issuer: this.#origin,
      audience: API,
    })
    return protectedHeader.kid
  }
}

describe('signing keys', () => {
  let database: TestDatabase
  let a: TestServer
  let b: TestServer
  let service: RelyingParty

  beforeEach(async () => {
    database = await createDatabase()
    a = await startServer({ database, config: { keys: TIMING } })
    b = await startServer({ database, issuer: a.origin, config: { keys: TIMING } })
    for (const server of [a, b]) server.context.keyWatch.start()
    await createResource(a, { identifier: API, scopes: ['jobs:run'] })
    service = await relyingParty(a, {
      type: 'service',
    })
  })
  afterEach(async () => {
    await b.stop()
    await a.stop()
    await database.drop()
  })

  const token = async (): Promise<string> =>
    (await service.clientCredentials({ resource: API })).access_token

  it('JW-07 rotates five times under load without one token that a caching resource server cannot verify', async () => {
    const api = new ResourceServer(a.origin)
    const kids = new Set<string | undefined>()
    const rotation = new AbortController()
    let checked = 0
    const load = (async () => {
      while (!rotation.signal.aborted) {
        const issued = await token()
        kids.add(await api.kidOf(issued))
        checked += 1
        // Below the limit of the token endpoint, however fast the machine is.
        await new Promise((resolve) => setTimeout(resolve, 4))
      }
    })()
    for (let round = 0; round < 5; round += 1) {
      await (round % 2 === 0 ? a : b).context.keys.rotate('ES256')
      await new Promise((resolve) => setTimeout(resolve, 1100))
    }
    rotation.abort()
    await load
    expect(kids.size).toBeGreaterThanOrEqual(5)
    expect(checked).toBeGreaterThan(50)
  })

  it('JW-07 publishes a new key before it signs, on every instance', async () => {
    const kid = await a.context.keys.rotate('ES256')
    await eventually(async () => (await kidsOf(b)).includes(kid ?? ''), true)
    expect(await new ResourceServer(a.origin).kidOf(await token())).not.toBe(kid)
    await eventually(async () => new ResourceServer(a.origin).kidOf(await token()), kid)
  })

  it('JW-07 makes one successor when all instances rotate at once', async () => {
    const made = await Promise.all([a, b, a, b].map(({ context }) => context.keys.rotate('ES256')))
    expect(made.filter(Boolean)).toHaveLength(1)
  })

  it('an emergency rotation lets the tokens of the leaked key die on every instance', async () => {
    const before = await token()
    await a.context.keys.rotate('ES256', { isEmergency: true })
    await eventually(
      async () => new ResourceServer(b.origin).kidOf(before).catch((error: Error) => error.name),
      'JWKSNoMatchingKey',
    )
    expect(await new ResourceServer(a.origin).kidOf(await token())).toBeDefined()
  })

  it('JW-07 after an emergency rotation the other instance neither publishes the leaked key nor signs with it', async () => {
    const leaked = decodeProtectedHeader(await tokenOfB()).kid ?? ''
    expect(await kidsOf(b)).toContain(leaked)
    const kid = await a.context.keys.rotate('ES256', { isEmergency: true })
    await eventually(async () => (await kidsOf(b)).includes(leaked), false)
    expect(await kidsOf(b)).toContain(kid)
    expect(decodeProtectedHeader(await tokenOfB()).kid).toBe(kid)
  })

  it.each(['ES256', 'RS256', 'PS256', 'EdDSA'] as const)(
    'JW-01 JW-07 %s ID tokens verify by the JWKS before and after a rotation of that algorithm',
    async (alg) => {
      const app = await signedInApp(a, { idTokenAlg: alg })
      const idToken = async () => (await app.redeem(await app.code())).body.id_token as string
      const kidOf = async (jwt: string) => {
        const jwks = (await (await send(`${a.origin}/jwks`)).json()) as JSONWebKeySet
        const options = { issuer: a.origin, audience: app.client.clientId, algorithms: [alg] }
        return (await jwtVerify(jwt, createLocalJWKSet(jwks), options)).protectedHeader.kid
      }
      const before = await idToken()
      const old = await kidOf(before)
      const kid = await a.context.keys.rotate(alg)
      expect(await kidOf(before)).toBe(old)
      await eventually(async () => kidOf(await idToken()), kid)
      expect(kid).not.toBe(old)
    },
    60_000,
  )

  async function tokenOfB(): Promise<string> {
    const body = new URLSearchParams({ grant_type: 'client_credentials', resource: API }).toString()
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(body.length),
      ...basic(service),
    }
    const answer = await send(`${a.origin}/token`, {
      method: 'POST',
      connect: b.address,
      headers,
      body,
    })
    return ((await answer.json()) as { access_token: string }).access_token
  }

  it('CF-04 JW-08 re-seals private keys under the newest key-encryption key and goes on with the old tokens', async () => {
    const before = await token()
    const [old = ''] = TEST_SECRETS.keyEncryptionKeys
    const fresh = 'Qm8rTz2wKx5vBn1cYd7fGh4jLp9sRa3eUi6oWt0y'
    const rotated = { ...TEST_SECRETS, keyEncryptionKeys: [fresh, old] }
    await using c = await startServer({ database, issuer: a.origin, config: { secrets: rotated } })
    const resealed = await reseal(c.context.database.pool, c.context.box)
    expect(resealed.get('private signing keys')).toBeGreaterThan(0)
    await using d = await startServer({
      database,
      issuer: a.origin,
      config: { secrets: { ...TEST_SECRETS, keyEncryptionKeys: [fresh] } },
    })
    expect(await new ResourceServer(a.origin).kidOf(before)).toBeDefined()
    const { rows } = await d.context.database.pool.query<{ private_box: Buffer }>(
      'select "private_box" from "signing_key"',
    )
    expect(rows.every((row) => new SecretBox([fresh]).isCurrent(row.private_box))).toBe(true)
    expect(rows.some((row) => row.private_box.toString('latin1').includes('"d"'))).toBe(false)
  })

  async function kidsOf({ address, origin }: TestServer): Promise<string[]> {
    const { keys } = (await (await send(`${origin}/jwks`, { connect: address })).json()) as {
      keys: { kid: string }[]
    }
    return keys.map(({ kid }) => kid)
  }
})
