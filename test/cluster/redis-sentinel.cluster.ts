import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { AppError } from '../../src/errors.ts'
import { createRedisStore } from '../../src/oidc/adapters/redis-store.ts'
import { openRedis } from '../../src/redis/redis.ts'
import { describeArtifactStore } from '../storage/adapter-contract.ts'
import { HOUR, sample } from '../storage/contract/samples.ts'
import { RedisStorages } from '../storage/redis-store.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount } from '../support/factories.ts'
import { note } from '../support/notes.ts'
import { signIn } from '../support/protocol.ts'
import { connectTo, spendableIn } from '../support/redis.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { startServer } from '../support/server.ts'
import { type SentinelPair, startSentinels, viewOf } from './redis-cluster.ts'

/**
 * A vote comes after a second, another six seconds after one that failed; a Sentinel that a busy
 * machine has stopped waits 30 seconds.
 */
const FAILOVER_MS = 90_000
/** Two calls, each bounded. */
const DEADLINE_MS = 600
/** A machine that runs other things beside may take this many times as long. */
const PATIENCE = 6
const settings = ({ sentinels }: SentinelPair) => ({
  urls: ['redis://sentinels/mymaster'],
  sentinels,
})

let pair: SentinelPair
let storages: RedisStorages
beforeAll(async () => {
  pair = await startSentinels()
  const master = new Redis(pair.master.url)
  master.on('error', () => undefined)
  storages = new RedisStorages(settings(pair), async () => [master])
}, 60_000)
afterAll(async () => {
  await storages[Symbol.asyncDispose]()
  await pair[Symbol.asyncDispose]()
})

describeArtifactStore('Redis by Sentinel', () => storages.make())

/**
 * The first answer of the new master may come before the Sentinels' word of it, which drops the
 * connection once more.
 */
async function patiently<T>(call: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + FAILOVER_MS
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if ((error as { code?: string }).code !== 'unavailable' || Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

describe('a Redis watched by Sentinels', () => {
  it('F05 follows the failover without a restart: 503 meanwhile, what was consumed stays consumed', async () => {
    await using redis = await openRedis(settings(pair))
    const adapter = createRedisStore({ redis, leewaySeconds: () => 0 }).adapterFor('RefreshToken')
    const [live, spent] = [sample('RefreshToken'), sample('RefreshToken')]
    for (const { id, payload } of [live, spent]) await adapter.upsert(id, payload, HOUR)
    await adapter.consume(spent.id)
    await new Promise((resolve) => setTimeout(resolve, 300))
    if (pair.master.pid) process.kill(pair.master.pid, 'SIGKILL')

    const begun = performance.now()
    const refusals = new Set<unknown>()
    let found: unknown
    let slowest = 0
    while (!found && performance.now() - begun < FAILOVER_MS) {
      const asked = performance.now()
      found = await adapter
        .upsert(live.id, live.payload, HOUR)
        .then(() => adapter.find(live.id))
        .catch((error: { code?: string }) => void refusals.add(error.code))
      slowest = Math.max(slowest, performance.now() - asked)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    if (!found)
      throw new Error(`no failover: ${(await Promise.all(pair.sentinels.map(viewOf))).join('\n')}`)
    expect(found).toEqual(live.payload)
    note('sentinel failover', `slowest answer ${Math.round(slowest)} ms (promised ${DEADLINE_MS})`)
    expect(slowest).toBeLessThan(DEADLINE_MS * PATIENCE)
    expect([...refusals]).toEqual(['unavailable'])
    expect(await patiently(() => adapter.find(spent.id))).toHaveProperty('consumed')
    await expect(patiently(() => adapter.consume(spent.id))).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    await patiently(() => adapter.consume(live.id))
  }, 120_000)
})

interface Refusal {
  readonly error?: string
  readonly cause?: { readonly status: number }
}

/** What the token endpoint says once Redis is back: the error, or that there were tokens. */
function answerTo(call: () => Promise<unknown>): Promise<string | undefined> {
  return patiently(async () => {
    const { error, cause }: Refusal = await call().then(
      () => ({ error: 'none: there were tokens' }),
      (refused: Refusal) => refused,
    )
    if (cause?.status === 503) throw new AppError('unavailable')
    return error
  })
}

describe('a failover to a replica that has not heard the last word', () => {
  it('F05 TK-01 TK-04 SE-06 codes and refresh tokens that were used stay used, and sign-ins that ended stay ended', async () => {
    await using watched = await startSentinels()
    await using server = await startServer({ config: { redis: settings(watched) } })
    const account = await createAccount(server)
    const apps = await Promise.all(
      [{}, { secret: null }].map((options) =>
        relyingParty(server, { firstParty: true, ...options }),
      ),
    )
    const browser = new Browser(server.origin)
    await browser.visit((apps[0] as RelyingParty).authorizationUrl())
    const { url: signedIn } = await signIn(browser, account.email)
    await apps[0]?.revoke((await apps[0].redeem(signedIn)).refresh_token ?? '')
    const held: { app: RelyingParty; url: URL; token: string }[] = []
    for (const app of apps) {
      const { refresh_token: token = '' } = await app.redeem(
        (await browser.visit(app.authorizationUrl())).url,
      )
      held.push({ app, url: (await browser.visit(app.authorizationUrl())).url, token })
    }

    const leaver = await createAccount(server)
    const left = new Browser(server.origin)
    const [app] = apps as [RelyingParty]
    await left.visit(app.authorizationUrl())
    const { refresh_token: ended = '' } = await app.redeem((await signIn(left, leaver.email)).url)

    const [master, replica] = [connectTo(watched.master.url), connectTo(watched.replica.url)]
    await eventually(() => unusedIn(replica), 5)
    process.kill(watched.replica.pid ?? 0, 'SIGSTOP')
    await master.call('CLIENT', 'KILL', 'TYPE', 'replica')
    const renewed: string[] = []
    for (const { app, url, token } of held) {
      await app.redeem(url)
      renewed.push((await app.refresh(token)).refresh_token ?? '')
    }
    await server.context.sessions.endAll(leaver.id)
    await expect(app.refresh(ended)).rejects.toMatchObject({ error: 'invalid_grant' })
    master.disconnect()
    process.kill(watched.master.pid ?? 0, 'SIGKILL')
    process.kill(watched.replica.pid ?? 0, 'SIGCONT')
    await eventually(
      async () => /role:master/.test(await replica.info('replication')),
      true,
      FAILOVER_MS,
    )
    expect(await unusedIn(replica)).toBe(5)
    replica.disconnect()

    for (const [index, { app, url, token }] of held.entries()) {
      expect(await answerTo(() => app.redeem(url))).toBe('invalid_grant')
      expect(await answerTo(() => app.refresh(token))).toBe('invalid_grant')
      expect(await answerTo(() => app.refresh(renewed[index] ?? ''))).toBe('invalid_grant')
      const again = await browser.visit(app.authorizationUrl())
      expect((await app.redeem(again.url)).refresh_token).toBeTruthy()
    }
    expect(await answerTo(() => app.refresh(ended))).toBe('invalid_grant')
    expect((await left.visit(app.authorizationUrl())).step).toBe('login')
  }, 200_000)

  /** Codes and refresh tokens that a server takes for unused, whatever else it may have forgotten of them. */
  async function unusedIn(server: Redis): Promise<number> {
    const keys = await spendableIn(server)
    return (await Promise.all(keys.map((key) => server.hexists(key, 'c')))).filter(
      (isUsed) => isUsed === 0,
    ).length
  }
})
