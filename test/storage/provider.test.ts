import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type pg from 'pg'
import type { ArtifactStore } from '../../src/oidc/adapters/adapter.ts'
import { createPostgresStore } from '../../src/oidc/adapters/postgres-store.ts'
import { CookieJar } from '../support/cookie-jar.ts'
import { useDatabase } from '../support/database.ts'
import type { StoreUnderTest } from './adapter-contract.ts'
import { type Answer, CLIENT, type Instance, ISSUER, PKCE, startInstance } from './bare-provider.ts'
import { openPool, PostgresStorages } from './postgres-store.ts'

const database = useDatabase()

describe('oidc-provider on the PostgreSQL store', () => {
  let storages: PostgresStorages
  let storage: StoreUnderTest
  let stores: readonly [ArtifactStore, ArtifactStore]
  let instances: readonly [Instance, Instance]

  beforeAll(async () => {
    storages = new PostgresStorages(database.url)
    storage = await storages.make()
    stores = [storage.open(), storage.open()]
    instances = [await startInstance(stores[0]), await startInstance(stores[1])]
  })
  afterAll(async () => {
    for (const instance of instances) await instance[Symbol.asyncDispose]()
    await storages[Symbol.asyncDispose]()
  })

  let turn = 0
  beforeEach(() => {
    turn = 0
  })
  /** A balancer without stickiness: every request goes to the other instance. */
  const nextInstance = (): Instance => instances[turn++ % 2 === 0 ? 0 : 1]

  async function get(jar: CookieJar, path: string): Promise<Answer> {
    const url = new URL(path, ISSUER)
    const cookie = jar.header(url)
    const headers = { host: url.host, accept: 'text/html', ...(cookie ? { cookie } : {}) }
    const answer = await nextInstance().send('GET', url.pathname + url.search, { headers })
    jar.store(url, answer.headers['set-cookie'] ?? [])
    return answer
  }

  function authorizationPath(more: Record<string, string> = {}): string {
    const { client_id, redirect_uri } = CLIENT
    const pkce = { code_challenge: PKCE.challenge, code_challenge_method: 'S256' }
    const query = new URLSearchParams({
      client_id,
      redirect_uri,
      response_type: 'code',
      scope: 'openid',
      ...pkce,
      ...more,
    })
    return `/auth?${query.toString()}`
  }

  /** Follows the flow to the app; the parameters that it gets. */
  async function authorize(
    jar: CookieJar,
    more: Record<string, string> = {},
  ): Promise<URLSearchParams> {
    let location = authorizationPath(more)
    for (let hops = 0; hops < 8; hops += 1) {
      if (location.startsWith(CLIENT.redirect_uri)) return new URL(location).searchParams
      const { headers, status, text } = await get(jar, location)
      if (status !== 303 || !headers.location) throw new Error(`${location}: ${status} ${text}`)
      location = headers.location
    }
    throw new Error('too many redirects')
  }

  const redeem = (code: string) =>
    nextInstance().token({
      grant_type: 'authorization_code',
      code,
      redirect_uri: CLIENT.redirect_uri,
      code_verifier: PKCE.verifier,
    })
  const refresh = (token: string) =>
    nextInstance().token({ grant_type: 'refresh_token', refresh_token: token })
  const userinfo = (token: string) =>
    nextInstance().send('GET', '/me', { headers: { authorization: `Bearer ${token}` } })

  it('two instances serve one sign-in, request by request in turn', async () => {
    const jar = new CookieJar()
    const { body } = await redeem(String((await authorize(jar)).get('code')))
    expect((await userinfo(String(body['access_token']))).status).toBe(200)
    expect((await refresh(String(body['refresh_token']))).status).toBe(200)
    expect((await authorize(jar, { prompt: 'none' })).get('code')).toBeTruthy()
  })

  it('SE-02 signing in again changes the session cookie, and the old one is dead', async () => {
    const jar = new CookieJar()
    await authorize(jar)
    const thief = jar.copy()
    await authorize(jar, { prompt: 'login' })
    expect((await authorize(jar, { prompt: 'none' })).get('code')).toBeTruthy()
    expect((await authorize(thief, { prompt: 'none' })).get('error')).toBe('login_required')
  })

  it('SE-06 a thief who uses a stolen cookie all the time is out when the account is signed out everywhere', async () => {
    for (let round = 0; round < 5; round += 1) {
      const jar = new CookieJar()
      await authorize(jar)
      const stop = new AbortController()
      const codes: string[] = []
      const tokens: Record<string, string>[] = []
      const errors = new Set<string>()
      const thieves = Array.from({ length: 6 }, async (_, index) => {
        const stolen = jar.copy()
        while (!stop.signal.aborted) {
          const params = await authorize(stolen, { prompt: 'none' })
          const code = params.get('code')
          if (!code) {
            errors.add(String(params.get('error')))
            continue
          }
          if (index % 2 === 0) codes.push(code)
          else tokens.push((await redeem(code)).body)
        }
      })
      while (codes.length < 12 || tokens.length < 12) await pause(5)
      await stores[0].revokeByAccount('ada')
      while (errors.size === 0) await pause(5)
      stop.abort()
      await Promise.all(thieves)

      expect(tokens.some(({ refresh_token }) => refresh_token)).toBe(true)
      expect(['login_required', 'consent_required']).toEqual(expect.arrayContaining([...errors]))
      expect((await authorize(jar, { prompt: 'none' })).get('error')).toBe('login_required')
      for (const code of codes) expect((await redeem(code)).body['error']).toBe('invalid_grant')
      for (const { refresh_token, access_token } of tokens) {
        if (refresh_token)
          expect((await refresh(refresh_token)).body['error']).toBe('invalid_grant')
        if (access_token) expect((await userinfo(access_token)).status).toBe(401)
      }
    }
  })

  it('TK-12 no credential of one kind opens the door of another', async () => {
    const jar = new CookieJar()
    const fresh = async (): Promise<string> => String((await authorize(jar)).get('code'))
    const { body } = await redeem(await fresh())
    const pending = await get(new CookieJar(), authorizationPath())
    const credentials = {
      code: await fresh(),
      access: String(body['access_token']),
      refresh: String(body['refresh_token']),
      session: jar.all.find(({ name }) => name === '_session')?.value ?? '',
      interaction: pending.headers.location?.split('/').at(-1) ?? '',
    }
    for (const value of Object.values(credentials)) expect(value.length).toBeGreaterThan(20)
    for (const [kind, value] of Object.entries(credentials)) {
      if (kind !== 'code') expect((await redeem(value)).body['error']).toBe('invalid_grant')
      if (kind !== 'refresh') expect((await refresh(value)).body['error']).toBe('invalid_grant')
      if (kind !== 'access') expect((await userinfo(value)).status).toBe(401)
    }
    expect((await userinfo(credentials.access)).status).toBe(200)
    expect((await refresh(credentials.refresh)).status).toBe(200)
  })

  it('SE-01 draws 100,000 session ids of 256 bits without a duplicate', () => {
    const { Session } = instances[0].provider
    const ids = new Set(Array.from({ length: 100_000 }, () => new Session().jti))
    expect(ids.size).toBe(100_000)
    for (const id of ids) expect(id).toMatch(/^[\w-]{43}$/)
  })

  it('TK-10 a revocation that cannot be stored answers 503 with Retry-After, and the token lives on', async () => {
    const { body } = await redeem(String((await authorize(new CookieJar())).get('code')))
    const token = String(body['refresh_token'])
    const pool = openPool(database.url, 2)
    const breaking = await startInstance(
      createPostgresStore({
        pool: failingOn(pool, /^\s*(delete|update)/),
        leewaySeconds: () => 10,
      }),
    )
    try {
      const answer = await breaking.send('POST', '/token/revocation', {
        form: { client_id: CLIENT.client_id, token },
      })
      expect(answer.status).toBe(503)
      expect(answer.headers['retry-after']).toBe('1')
    } finally {
      await breaking[Symbol.asyncDispose]()
      await pool.end()
    }
    expect((await refresh(token)).status).toBe(200)
  })
})

/** A database that has become read-only, as after a failover (SQLSTATE 25006). */
function failingOn(pool: pg.Pool, pattern: RegExp): pg.Pool {
  const query = pool.query.bind(pool) as (config: { text: string }) => Promise<unknown>
  Reflect.set(pool, 'query', (config: { text: string }) =>
    pattern.test(config.text)
      ? Promise.reject(
          Object.assign(new Error('cannot execute DELETE in a read-only transaction'), {
            code: '25006',
          }),
        )
      : query(config),
  )
  return pool
}
