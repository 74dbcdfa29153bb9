import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { LIMITS } from '../../src/config/limits.ts'
import { randomToken } from '../../src/crypto/token.ts'
import { createLogger } from '../../src/logger/logger.ts'
import type { ContextAdapter } from '../../src/oidc/adapters/adapter.ts'
import { createRedisStore } from '../../src/oidc/adapters/redis-store.ts'
import { openRedis } from '../../src/redis/redis.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { note } from '../support/notes.ts'
import { basic } from '../support/protocol.ts'
import {
  connectTo,
  findServer,
  startRedis,
  startServer as startRedisServer,
  type TestRedis,
} from '../support/redis.ts'
import { relyingParty } from '../support/relying-party.ts'
import { PATIENT_MS, startServer, type TestServer } from '../support/server.ts'
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { HOUR, newOwner, sample } from './contract/samples.ts'
import { redisThatSays } from './redis-stub.ts'

const DEADLINE_MS = 300
const RECOVERY_MS = 2000
/** A machine that runs the whole suite at once may take this many times as long. */
const PATIENCE = 6

/**
 * What requests in waves of a seventy-fifth of a limit can be ahead of a report by, on a slow
 * machine too.
 */
const OVER = 1.1
/**
 * The stand-in is in the process of both instances and can be too late for them: then each takes a
 * quarter of the limit by itself as well.
 */
const OVER_BESIDE = OVER + 2 * 0.25

describe('a server whose Redis fails', () => {
  let redis: TestRedis
  let proxy: TcpProxy
  let server: TestServer
  let signedIn: Awaited<ReturnType<typeof signIn>>

  beforeAll(async () => {
    redis = await startRedis()
    proxy = await startProxy({ host: '127.0.0.1', port: Number(new URL(redis.url).port) })
    const url = new URL(redis.url)
    url.port = String(proxy.port)
    server = await startServer({ config: { redis: { urls: [url.href], sentinels: [] } } })
    signedIn = await signIn()
  })
  afterAll(async () => {
    await server.stop()
    await proxy[Symbol.asyncDispose]()
    await redis[Symbol.asyncDispose]()
  })

  async function signIn(at = server) {
    const account = await createAccount(at)
    const app = await relyingParty(at, { firstParty: true })
    const browser = new Browser(at.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid email' }))
    const back = await browser.submit('/login', { username: account.email, password: PASSWORD })
    const api = await post(
      '/api/auth/sign-in/email',
      JSON.stringify({ email: account.email, password: PASSWORD }),
      'application/json',
      {},
      at,
    )
    const { access_token: jwt } = (await api.json()) as { access_token: string }
    return { account, app, back, tokens: await app.redeem(back.url), jwt }
  }

  function post(
    path: string,
    body: string,
    type: string,
    headers: Record<string, string> = {},
    at = server,
  ) {
    return fetch(`${at.origin}${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': type, ...headers },
    })
  }

  const FORM = 'application/x-www-form-urlencoded'
  const userinfo = () =>
    fetch(`${server.origin}/userinfo`, {
      headers: { authorization: `Bearer ${signedIn.tokens.access_token}` },
    })
  const token = () => {
    const form = {
      grant_type: 'authorization_code',
      code: randomToken(),
      redirect_uri: signedIn.app.redirectUri,
      code_verifier: randomToken(),
    }
    return post('/token', new URLSearchParams(form).toString(), FORM, basic(signedIn.app))
  }
  const authorize = () => fetch(signedIn.app.authorizationUrl(), { redirect: 'manual' })
  const me = () =>
    post('/api/auth/user/me', '{}', 'application/json', { authorization: `Bearer ${signedIn.jwt}` })

  /** Status, `Retry-After` and milliseconds. */
  async function timed(call: () => Promise<Response>) {
    const begun = performance.now()
    const response = await call()
    return {
      body: response.status === 503 ? '' : await response.text(),
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      ms: performance.now() - begun,
    }
  }

  async function expectRefusals(): Promise<void> {
    const answers = []
    for (const call of [userinfo, token, authorize, userinfo]) answers.push(await timed(call))
    expect(answers.map(({ status, body }) => `${status}${body}`)).toEqual([
      '503',
      '503',
      '503',
      '503',
    ])
    for (const { retryAfter } of answers) {
      expect(Number(retryAfter)).toBeGreaterThan(0)
    }
    const slowest = Math.max(...answers.map(({ ms }) => ms))
    note('redis fault', `slowest refusal ${Math.round(slowest)} ms (promised ${DEADLINE_MS})`)
    expect(slowest).toBeLessThan(DEADLINE_MS * PATIENCE)
  }

  async function expectTheRestToGoOn(): Promise<void> {
    for (const path of ['/.well-known/openid-configuration', '/jwks', '/health/live'])
      expect((await fetch(`${server.origin}${path}`)).status).toBe(200)
    expect((await me()).status).toBe(200)
    expect(
      (
        await post('/api/auth/user/me', '{}', 'application/json', {
          authorization: `Bearer ${signedIn.jwt}x`,
        })
      ).status,
    ).toBe(401)
    expect((await fetch(`${server.origin}/health/ready`)).status).toBe(503)
  }

  async function expectRecovery(): Promise<void> {
    const begun = performance.now()
    await eventually(async () => (await userinfo()).status, 200)
    expect(performance.now() - begun).toBeLessThan(RECOVERY_MS * PATIENCE)
    await eventually(async () => (await fetch(`${server.origin}/health/ready`)).status, 200)
  }

  it('F03 port closed: 503 and Retry-After within 300 ms on what needs it, the rest goes on, back within 2 s', async () => {
    await proxy.close()
    await expectRefusals()
    await expectTheRestToGoOn()
    await proxy.heal()
    await expectRecovery()
  })

  it('F03 F06 hanging connection: 503 and Retry-After within 300 ms, the rest goes on, back within 2 s', async () => {
    proxy.hang()
    await expectRefusals()
    await expectTheRestToGoOn()
    await proxy.heal()
    await expectRecovery()
  })

  it('F06 50 ms slow: everything works; 5 s slow: 503 within 300 ms', async () => {
    proxy.delay(50)
    await eventually(async () => (await userinfo()).status, 200)
    proxy.delay(5000)
    await expectRefusals()
    await proxy.heal()
    await expectRecovery()
  })

  it('F03 process stopped (SIGSTOP) and continued: 503 meanwhile, back within 2 s', async () => {
    if (redis.pid === undefined) proxy.hang()
    else process.kill(redis.pid, 'SIGSTOP')
    try {
      await expectRefusals()
    } finally {
      if (redis.pid === undefined) await proxy.heal()
      else process.kill(redis.pid, 'SIGCONT')
    }
    await expectRecovery()
  })

  it('F03 PW-10 a reset while Redis is away changes nothing: no new password beside sessions that cannot be ended', async () => {
    const NEW = 'ember quilt nine lantern'
    const { account, jwt } = await signIn()
    const forgot = async (body: object) => {
      const headers = { 'content-type': 'application/json' }
      return fetch(`${server.origin}/api/auth/forgot/password`, {
        method: 'PATCH',
        body: JSON.stringify(body),
        headers,
      })
    }
    const begin = async () => {
      const { tokenId } = (await (await forgot({ email: account.email })).json()) as {
        tokenId: string
      }
      return {
        email: account.email,
        tokenId,
        password: NEW,
        code: await server.inbox.code(account.email),
      }
    }
    const opens = async (password: string) =>
      (
        await post(
          '/api/auth/sign-in/email',
          JSON.stringify({ email: account.email, password }),
          'application/json',
        )
      ).status === 200
    const isIn = async () =>
      (
        await post('/api/auth/user/me', '{}', 'application/json', {
          authorization: `Bearer ${jwt}`,
        })
      ).status === 200
    const proof = await begin()
    await proxy.close()
    expect((await forgot(proof)).status).toBe(503)
    await proxy.heal()
    await expectRecovery()
    expect([await opens(NEW), await opens(PASSWORD), await isIn()]).toEqual([false, true, true])
    expect((await forgot(await begin())).status).toBe(200)
    expect([await opens(NEW), await opens(PASSWORD), await isIn()]).toEqual([true, false, false])
  })

  it('RL-05 limits never fail open: while Redis is away each instance allows a quarter, then 429', async () => {
    await proxy.close()
    try {
      const wrong = () => post('/api/auth/sign-in/email', '{}', 'application/json')
      const statuses: number[] = []
      for (let request = 0; request < 20; request += 1) statuses.push((await wrong()).status)
      expect(statuses.filter((status) => status !== 429).length).toBe(15)
      expect(statuses.slice(-5)).toEqual([429, 429, 429, 429, 429])
    } finally {
      await proxy.heal()
    }
    await expectRecovery()
  })

  it('counts over all instances while Redis is there', async () => {
    const second = await startServer({
      database: { url: server.config.database.url },
      issuer: server.origin,
      config: { redis: server.config.redis },
    })
    try {
      const direct = connectTo(redis.url)
      for (const key of await direct.keys('gh:limit:forgot*')) await direct.del(key)
      direct.disconnect()
      const at = ({ address }: TestServer) =>
        send(`${server.origin}/api/auth/forgot/password`, {
          method: 'PATCH',
          body: '{}',
          headers: { 'content-type': 'application/json', 'content-length': '2' },
          connect: address,
        })
      const statuses: number[] = []
      for (let request = 0; request < LIMITS.forgot.max + 4; request += 1)
        statuses.push((await at(request % 2 === 0 ? server : second)).status)
      expect(statuses.filter((status) => status !== 429).length).toBe(LIMITS.forgot.max)
    } finally {
      await second.stop()
    }
  })

  it.each([
    ['token', '/token', 'POST'],
    ['authorize', '/auth?client_id=x', 'GET'],
    ['interaction', '/interaction/x/login', 'GET'],
  ] as const)(
    'RL-05 the limit of %s, told afterwards, holds over instances: what it is passed by is no more than one report',
    async (name, path, method) => {
      const { max } = LIMITS[name]
      const atOnce = max / 75
      const settings = {
        database: { url: server.config.database.url },
        issuer: server.origin,
        config: { redis: server.config.redis },
      }
      const instances = await Promise.all([startServer(settings), startServer(settings)])
      const direct = connectTo(redis.url)
      const forget = async () => {
        for (const key of await direct.keys(`gh:limit:${name}*`)) await direct.del(key)
      }
      try {
        await forget()
        const at = ({ address }: TestServer) =>
          send(`${server.origin}${path}`, {
            method,
            ...(method === 'POST'
              ? { body: 'grant_type=x', headers: { 'content-type': FORM, 'content-length': '12' } }
              : {}),
            connect: address,
          }).then(({ status }) => status)
        const over = redis.pid === undefined ? OVER_BESIDE : OVER
        const asked: number[] = []
        for (let wave = 0; wave < (max * over) / atOnce + 5; wave += 1)
          asked.push(
            ...(await Promise.all(
              Array.from({ length: atOnce }, (_, request) =>
                at(instances[request % 2] as TestServer),
              ),
            )),
          )
        const passed = asked.filter((status) => status !== 429).length
        expect(passed).toBeGreaterThanOrEqual(max)
        expect(passed).toBeLessThan(max * over)
        const refused = asked.slice(-2 * atOnce).filter((status) => status === 429).length
        expect(refused).toBeGreaterThanOrEqual(redis.pid === undefined ? 1 : 2 * atOnce)
        for (const key of await direct.keys(`gh:limit:${name}*`))
          expect(await direct.pttl(key)).toBeGreaterThan(0)
      } finally {
        await forget()
        direct.disconnect()
        for (const instance of instances) await instance.stop()
      }
    },
    120_000,
  )

  it('RL-05 the limit of /token asks first as soon as a report fails', async () => {
    await token()
    await proxy.close()
    try {
      const statuses: number[] = []
      for (let wave = 0; wave < 20; wave += 1)
        statuses.push(
          ...(await Promise.all(
            Array.from({ length: 50 }, () => token().then(({ status }) => status)),
          )),
        )
      expect(statuses).not.toContain(200)
      expect(statuses.filter((status) => status !== 429).length).toBeLessThan(
        LIMITS.token.max / 4 + 100,
      )
    } finally {
      await proxy.heal()
    }
    await expectRecovery()
  })

  it('F04 FLUSHALL: nothing spent comes back, no lockout is lifted, people sign in again', async () => {
    // This is about what is forgotten, not about deadlines, which a busy machine may miss.
    await using calm = await startServer({
      config: { redis: { urls: [redis.url], sentinels: [] } },
      redisCommandMs: PATIENT_MS,
    })
    const ask = (accessToken: string) =>
      fetch(`${calm.origin}/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } })
    const { app, back, tokens } = await signIn(calm)
    const spent = [tokens.refresh_token ?? '']
    for (let rotation = 0; rotation < 20; rotation += 1) {
      const next: { refresh_token?: string } = await app.refresh(spent.at(-1) ?? '')
      spent.push(next.refresh_token ?? '')
    }
    const locked = await createAccount(calm)
    for (let attempt = 0; attempt < 12; attempt += 1)
      await calm.context.signIn
        .withPassword(
          { email: locked.email, password: 'wrong' } as never,
          { ip: '127.0.0.9' } as never,
        )
        .catch(() => undefined)
    const assertion = sample('ReplayDetection')
    const replays = calm.context.store.adapterFor('ReplayDetection')
    await replays.upsert(assertion.id, assertion.payload, 300)

    const direct = connectTo(redis.url)
    const flushing = Promise.all(
      Array.from({ length: 20 }, () => ask(tokens.access_token).then(({ status }) => status)),
    )
    await direct.flushdb()
    direct.disconnect()
    for (const status of await flushing) expect([200, 401]).toContain(status)

    for (const refreshToken of spent)
      await expect(app.refresh(refreshToken)).rejects.toMatchObject({ error: 'invalid_grant' })
    const code = new URLSearchParams({
      grant_type: 'authorization_code',
      code: back.url.searchParams.get('code') ?? '',
      redirect_uri: app.redirectUri,
      code_verifier: app.verifierOf(back.url),
    })
    const again = await post('/token', code.toString(), FORM, basic(app), calm)
    expect(again.status).toBe(400)
    await expect(replays.upsert(assertion.id, assertion.payload, 300)).rejects.toMatchObject({
      error: 'invalid_client',
    })
    const stillLocked = await post(
      '/api/auth/sign-in/email',
      JSON.stringify({ email: locked.email, password: PASSWORD }),
      'application/json',
      {},
      calm,
    )
    expect(stillLocked.status).toBe(429)
    const next = await signIn(calm)
    expect((await ask(next.tokens.access_token)).status).toBe(200)
  })
})

describe('the Redis store under loss', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(async () => {
    await redis[Symbol.asyncDispose]()
  })

  it('F08 any lost key means less access: what was revoked or consumed stays so, whichever keys vanish', async () => {
    await using connection = await openRedis(
      { urls: [redis.url], sentinels: [] },
      { commandMs: 2000 },
    )
    const direct = connectTo(redis.url)
    const store = createRedisStore({ redis: connection, leewaySeconds: () => 0 })
    const models = ['RefreshToken', 'AccessToken', 'AuthorizationCode', 'Grant'] as const
    for (let round = 0; round < 60; round += 1) {
      await direct.flushdb()
      const [revoked, ended, dropped, consumed] = [newOwner(), newOwner(), newOwner(), newOwner()]
      const dead: { model: (typeof models)[number]; id: string }[] = []
      for (const owner of [revoked, ended, dropped]) {
        const session = sample('Session', owner)
        await store.adapterFor('Session').upsert(session.id, session.payload, HOUR)
        for (const model of models) {
          const { id, payload } = sample(model, owner)
          await store
            .adapterFor(model)
            .upsert(
              id,
              { ...payload, ...(model === 'Grant' ? {} : { expiresWithSession: true }) },
              HOUR,
            )
          dead.push({ model, id })
        }
      }
      await store.revokeByAccount(revoked.accountId)
      await store.revokeBySession(ended.sessionUid)
      await store.revokeByAccountAndClient(dropped.accountId, dropped.clientId)
      const used = sample('AuthorizationCode', consumed)
      await store.adapterFor('AuthorizationCode').upsert(used.id, used.payload, HOUR)
      await store.adapterFor('AuthorizationCode').consume(used.id)

      for (const key of await direct.keys('*')) if (randomInt(10) < 3) await direct.del(key)
      for (const { model, id } of dead)
        expect(await store.adapterFor(model).find(id)).toBeUndefined()
      await expect(store.adapterFor('AuthorizationCode').consume(used.id)).rejects.toMatchObject({
        error: 'invalid_grant',
      })
      const found = await store.adapterFor('AuthorizationCode').find(used.id)
      if (found) expect(found).toHaveProperty('consumed')
    }
    direct.disconnect()
  })

  it('TK-10 is unavailable (503), and never done, when Redis is out of memory, loading or read-only', async () => {
    for (const says of [
      '-OOM command not allowed',
      '-LOADING Redis is loading',
      '-READONLY You cannot write',
      '-CLUSTERDOWN down',
    ]) {
      await using stub = await redisThatSays(says)
      await using connection = await openRedis({ urls: [stub.url], sentinels: [] })
      const tokens = createRedisStore({ redis: connection, leewaySeconds: () => 0 }).adapterFor(
        'RefreshToken',
      )
      const { id, payload } = sample('RefreshToken')
      const exchange = (tokens as ContextAdapter).exchange(randomToken(), [
        { model: 'RefreshToken', id, payload, expiresIn: HOUR },
      ])
      const revoke = tokens.revokeByGrantId(randomToken())
      for (const attempt of [
        tokens.upsert(id, payload, HOUR),
        tokens.find(id),
        tokens.consume(id),
        exchange,
        revoke,
      ])
        await expect(attempt).rejects.toMatchObject({
          code: 'unavailable',
          status: 503,
          statusCode: 503,
        })
    }
  })

  it('does not call its own mistakes unavailable', async () => {
    await using stub = await redisThatSays('-ERR user_script:1: a mistake')
    await using connection = await openRedis({ urls: [stub.url], sentinels: [] })
    const tokens = createRedisStore({ redis: connection, leewaySeconds: () => 0 }).adapterFor(
      'RefreshToken',
    )
    await expect(tokens.find('x')).rejects.toThrow('a mistake')
  })
})

describe('a start', () => {
  it('F07 refuses a Redis that may evict keys, in one sentence', async () => {
    const refusal =
      /^Redis may evict keys \(maxmemory-policy allkeys-lru\), which signs people out at random\. Set maxmemory-policy noeviction\.$/
    await using evicting = findServer()
      ? await startRedisServer(['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'])
      : await redisThatSays('+OK', 'allkeys-lru')
    await expect(openRedis({ urls: [evicting.url], sentinels: [] })).rejects.toThrow(refusal)
  })

  it.each(['99', '16'])(
    'F28 refuses the database number %s, which the server does not have, in one sentence',
    async (number) => {
      await using redis = findServer() ? await startRedisServer([]) : await startRedis()
      await expect(openRedis({ urls: [`${redis.url}/${number}`], sentinels: [] })).rejects.toThrow(
        new RegExp(
          `^Redis refuses the database number ${number} of REDIS_URL \\(ERR .+\\)\\. Leave it out, or give one that the server has`,
        ),
      )
    },
  )

  it('F28 uses the database whose number it was given', async () => {
    await using redis = findServer() ? await startRedisServer([]) : await startRedis()
    await using connection = await openRedis({ urls: [`${redis.url}/3`], sentinels: [] })
    await connection.run('gh:x', (client, key) => client.set(key, 'here', 'PX', 60_000))
    const third = connectTo(`${redis.url}/3`)
    expect(await third.get('gh:x')).toBe('here')
    third.disconnect()
  })

  const real = findServer() ? it : it.skip
  real('F28 refuses a replica, and names its primary', async () => {
    await using primary = await startRedisServer([])
    for (const readOnly of ['yes', 'no']) {
      await using replica = await startRedisServer([
        '--replicaof',
        '127.0.0.1',
        String(primary.port),
        '--replica-read-only',
        readOnly,
      ])
      await expect(openRedis({ urls: [replica.url], sentinels: [] })).rejects.toThrow(
        `Redis at 127.0.0.1:${replica.port} is a replica of 127.0.0.1:${primary.port}. Let REDIS_URL name that primary`,
      )
    }
  })

  real.each([
    [
      ['--min-replicas-to-write', '1'],
      /^Redis refuses to write \(NOREPLICAS .+\)\. Start its replicas, or lower min-replicas-to-write\.$/,
    ],
    [['--maxmemory', '1'], /^Redis refuses to write \(OOM .+\)\. Raise its maxmemory\.$/],
  ])(
    'F28 refuses a server that takes no write (%j), and says what to do',
    async (options, sentence) => {
      await using redis = await startRedisServer(options)
      await expect(openRedis({ urls: [redis.url], sentinels: [] })).rejects.toThrow(sentence)
    },
  )

  real(
    'F28 refuses a user who may not write there, and does not wait where a password is refused',
    async () => {
      await using redis = await startRedisServer([])
      const direct = connectTo(redis.url)
      await direct.acl('SETUSER', 'limited', 'on', '>right', '~other:*', '&*', '+@all')
      direct.disconnect()
      const as = (password: string) =>
        openRedis({ urls: [`redis://limited:${password}@127.0.0.1:${redis.port}`], sentinels: [] })
      await expect(as('right')).rejects.toThrow(
        /^Redis refuses to write \(NOPERM .+\)\. Allow its user all commands on the keys "gh:\*" /,
      )
      await expect(as('wrong')).rejects.toThrow(
        /cannot be used: it refuses the user name or password\.$/,
      )
    },
  )

  it('F28 waits a bounded time for a Redis that is not there, and says which', async () => {
    const begun = performance.now()
    const nowhere = openRedis({ urls: ['redis://127.0.0.1:1'], sentinels: [] }, { bootMs: 500 })
    await expect(nowhere).rejects.toThrow(
      /^The Redis at 127\.0\.0\.1:1 cannot be used: nothing listens there\.$/,
    )
    expect(performance.now() - begun).toBeLessThan(10_000)
  })

  it('F28 goes on as soon as Redis is up', async () => {
    await using redis = await startRedis()
    const proxy = await startProxy({ host: '127.0.0.1', port: Number(new URL(redis.url).port) })
    await proxy.close()
    const url = new URL(redis.url)
    url.port = String(proxy.port)
    const said: string[] = []
    const logger = createLogger('warn', { write: (line) => void said.push(line) })
    const opening = openRedis({ urls: [url.href], sentinels: [] }, { logger, bootMs: 60_000 })
    await eventually(() => said.length, 1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(said.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({
        event: 'redis.awaited',
        msg: `waiting for the Redis at 127.0.0.1:${proxy.port}: nothing listens there`,
      }),
    ])
    await proxy.heal()
    await using connection = await opening
    expect(await connection.isReady()).toBe(true)
    await proxy[Symbol.asyncDispose]()
  })
})
