import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { COMMAND_MS } from '../../src/redis/options.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount } from '../support/factories.ts'
import { note } from '../support/notes.ts'
import { signIn } from '../support/protocol.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type RedisCluster, startCluster } from './redis-cluster.ts'

/** So many that some need the master that hangs, and some do not. */
const PEOPLE = 40
const DEADLINE_MS = 300
/** A machine that runs other things beside may take this many times as long. */
const PATIENCE = 6
/** Longer than it takes to give up a socket and to ask the Cluster anew for its servers. */
const HANG_MS = 6000

interface Answer {
  readonly status: number
  readonly retryAfter: string | null
  readonly ms: number
}

let cluster: RedisCluster
let server: TestServer
beforeAll(async () => {
  // No failover: the master is slow to the server only.
  cluster = await startCluster({ nodeTimeoutMs: 120_000 })
  server = await startServer({ config: { redis: { urls: cluster.urls, sentinels: [] } } })
}, 60_000)
afterAll(async () => {
  await server.stop()
  await cluster[Symbol.asyncDispose]()
})

/** Each of another account: what is asked for is spread over all masters. */
async function tokensOfPeople(): Promise<string[]> {
  const app = await relyingParty(server, { firstParty: true })
  const tokens: string[] = []
  for (let index = 0; index < PEOPLE; index += 1) {
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl())
    const { url } = await signIn(browser, (await createAccount(server)).email)
    tokens.push((await app.redeem(url)).access_token)
  }
  return tokens
}

async function userinfo(token: string): Promise<Answer> {
  const begun = performance.now()
  const { status, headers } = await fetch(`${server.origin}/userinfo`, {
    headers: { authorization: `Bearer ${token}` },
  })
  return { status, retryAfter: headers.get('retry-after'), ms: performance.now() - begun }
}

describe('a Redis Cluster of which one master hangs', () => {
  it('F03 F06 what needs it is answered 503 and Retry-After within 300 ms, others notice nothing, back by itself', async () => {
    const tokens = await tokensOfPeople()
    const [, master] = cluster.servers
    if (!master?.pid) throw new Error('the second server is a process')
    const { pid } = master
    const ask = (): Promise<Answer[]> => Promise.all(tokens.map(userinfo))
    const refused = (answers: readonly Answer[]): Answer[] =>
      answers.filter(({ status }) => status !== 200)
    const fastest = (answers: readonly Answer[]): number => Math.min(...answers.map(({ ms }) => ms))
    process.kill(pid, 'SIGSTOP')
    try {
      const first = await ask()
      expect(new Set(first.map(({ status }) => status))).toEqual(new Set([200, 503]))
      const slowest = Math.max(...refused(first).map(({ ms }) => ms))
      note(
        'redis cluster',
        `slowest refusal while a master hangs ${Math.round(slowest)} ms (promised ${DEADLINE_MS})`,
      )
      expect(slowest).toBeLessThan(DEADLINE_MS * PATIENCE)

      for (const until = performance.now() + HANG_MS; performance.now() < until; ) {
        const answers = await ask()
        expect(
          answers.filter(({ status }, index) => status === 200 && first[index]?.status !== 200),
        ).toEqual([])
        expect(refused(answers).length).toBeLessThan(PEOPLE)
        for (const { retryAfter } of refused(answers)) expect(Number(retryAfter)).toBeGreaterThan(0)
        // It is known by now, and nobody waits for it again: they are as fast as the others.
        expect(fastest(refused(answers)) - fastest(answers)).toBeLessThan(COMMAND_MS)
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      expect((await fetch(`${server.origin}/health/ready`)).status).toBe(200)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await eventually(async () => refused(await ask()).length, 0)
  }, 60_000)
})
