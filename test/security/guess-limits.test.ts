import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { CAPS, LIMITS } from '../../src/config/limits.ts'
import { createLogger } from '../../src/logger/logger.ts'
import { api, startApi, totp, withMfa } from '../support/api.ts'
import { startCluster } from '../support/balancer.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { STORAGES } from '../support/storages.ts'
import { submitLogin } from './attacks.ts'

const WRONG = 'never the right passphrase'
const { max } = LIMITS['sign-in']

let networks = 0
const office = () => `198.18.${networks >> 8}.${networks++ & 255}`

type Target = Pick<TestServer, 'origin' | 'address'>

async function sign(
  server: Target,
  from: string,
  email: string,
  password = PASSWORD,
): Promise<number> {
  return (await api(server, 'POST /sign-in/email', { email, password }, { from })).status
}

/** Wrong passwords for as many addresses that nobody has: no account slows down. */
async function guess(server: Target, from: string, count: number): Promise<number[]> {
  const statuses: number[] = []
  for (let tried = 0; tried < count; tried += 1)
    statuses.push(await sign(server, from, `nobody.${from}.${tried}@example.org`, WRONG))
  return statuses
}

describe.each(STORAGES)('RL-04 limits on guessing, counts in %s', (storage) => {
  let server: TestServer
  beforeAll(async () => {
    server = await startApi({ storage })
  })
  afterAll(() => server.stop())

  it('sixty right sign-ins of one office in five minutes pass, and more', async () => {
    const people = await Promise.all(Array.from({ length: 10 }, () => createAccount(server)))
    const from = office()
    const statuses: number[] = []
    for (let signIn = 0; signIn < max + 20; signIn += 1)
      statuses.push(await sign(server, from, people[signIn % 10]?.email ?? ''))
    expect(new Set(statuses)).toEqual(new Set([200]))
  })

  it('through the form, too', async () => {
    await using strict = await startApi({
      storage,
      config: { limits: { 'sign-in': 10, verify: 10, sensitive: 10 } },
    })
    const { email } = await createAccount(strict)
    const headers = { 'x-forwarded-for': office() }
    for (let signIn = 0; signIn < 15; signIn += 1) {
      const browser = new Browser(strict.origin, { headers })
      await browser.visit('/login')
      expect((await submitLogin(browser, email, PASSWORD)).url.pathname).toBe('/account')
    }
  })

  it('59 wrong ones and a right one, again and again: the right one pays for itself and for nothing else', async () => {
    const { email } = await createAccount(server)
    const from = office()
    expect(new Set(await guess(server, from, max - 1))).toEqual(new Set([401]))
    for (let again = 0; again < 5; again += 1) expect(await sign(server, from, email)).toBe(200)
    expect(await guess(server, from, 3)).toEqual([401, 429, 429])
    expect(await sign(server, from, email)).toBe(429)
    expect(await sign(server, office(), email)).toBe(200)
  })

  it('200 at once, of which one is right: no more than the limit are judged', async () => {
    const { email } = await createAccount(server)
    const from = office()
    const before = server.context.hasher.stats.evaluations
    const tries = Array.from({ length: 200 }, (_, index) =>
      sign(server, from, `many.${index}@example.org`, WRONG),
    )
    const statuses = await Promise.all([...tries, sign(server, from, email)])
    expect(server.context.hasher.stats.evaluations - before).toBeLessThanOrEqual(max + 1)
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(max)
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(200 - max)
  })

  it('a right password with a wrong code gives nothing back, and a right code its own', async () => {
    await using strict = await startApi({
      storage,
      config: { limits: { 'sign-in': 10, verify: 10, sensitive: 10 } },
    })
    const person = await createAccount(strict)
    const setUp = (
      await api(strict, 'POST /sign-in/email', { email: person.email, password: PASSWORD })
    ).body
    const { secret } = await withMfa(strict, { token: setUp.access_token })
    const from = office()
    const first = () =>
      api(strict, 'POST /sign-in/email', { email: person.email, password: PASSWORD }, { from })
    const second = (token: string, code: string) =>
      api(strict, 'POST /sign-in/email', { token, code }, { from })
    const seen: number[] = []
    for (let tried = 0; tried < 4; tried += 1) {
      const { status, body } = await first()
      seen.push(status, (await second(body.token, '000000')).status)
    }
    // Eight of ten are gone. The ninth is the password's, the tenth the code's, which comes back.
    const { body } = await first()
    seen.push(
      (await second(body.token, await totp(secret))).status,
      (await first()).status,
      (await first()).status,
    )
    expect(seen).toEqual([401, 400, 401, 400, 401, 400, 401, 400, 200, 401, 429])
  })

  it('successes are bounded as well: what one account has over thirty stays counted', async () => {
    await using strict = await startApi({
      storage,
      config: { limits: { 'sign-in': 10, verify: 10, sensitive: 10 } },
    })
    const { email } = await createAccount(strict)
    const from = office()
    const statuses: number[] = []
    for (let signIn = 0; signIn < CAPS.successesPerAccount + 12; signIn += 1)
      statuses.push(await sign(strict, from, email))
    expect(statuses.indexOf(429)).toBe(CAPS.successesPerAccount + 10)
  })

  it('an address that nobody has counts exactly as a wrong password', async () => {
    const known = await Promise.all(
      Array.from({ length: max + 2 }, () => createAccount(server, { password: null })),
    )
    const from = office()
    const statuses: number[] = []
    for (const { email } of known) statuses.push(await sign(server, from, email, WRONG))
    expect(statuses).toEqual(await guess(server, office(), max + 2))
  })
})

it('RL-02 RL-04 two instances on one Redis count together: 59 wrong ones and right ones between', async () => {
  await using first = await startApi({ storage: 'Redis' })
  await using second = await startServer({
    database: { url: first.config.database.url },
    issuer: first.origin,
    config: { redis: first.config.redis, trustedProxyHops: 1 },
  })
  const { email } = await createAccount(first)
  const from = office()
  const statuses: number[] = []
  for (let tried = 0; tried < max + 4; tried += 1) {
    const at = { origin: first.origin, address: (tried % 2 === 0 ? first : second).address }
    statuses.push(await sign(at, from, `spread.${tried}@example.org`, WRONG))
    if (tried < 20) expect(await sign(at, from, email)).toBe(200)
  }
  expect(statuses.filter((status) => status === 401)).toHaveLength(max)
  expect(statuses.slice(-4)).toEqual([429, 429, 429, 429])
})

it('RL-02 200 at once over two instances without Redis: each judges no more than its limit', async () => {
  await using cluster = await startCluster(2, { config: { trustedProxyHops: 1 } })
  const [one, two] = cluster.instances as [TestServer, TestServer]
  const from = office()
  const count = () => one.context.hasher.stats.evaluations + two.context.hasher.stats.evaluations
  const before = count()
  const at = { origin: cluster.origin, address: one.address }
  await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      sign(
        { ...at, address: (index % 2 ? one : two).address },
        from,
        `cluster.${index}@example.org`,
        WRONG,
      ),
    ),
  )
  expect(count() - before).toBeLessThanOrEqual(2 * max)
})

it('RL-04 WB-09 a proxy in front that nobody told of is logged once', async () => {
  const lines: string[] = []
  const logger = createLogger('warn', { write: (line: string) => void lines.push(line) })
  await using server = await startServer({ logger })
  for (let index = 0; index < 5; index += 1)
    await send(`${server.origin}/login`, { headers: { 'x-forwarded-for': `203.0.113.${index}` } })
  const told = lines.filter((line) => line.includes('proxy.untrusted'))
  expect(told).toHaveLength(1)
  expect(told[0]).toContain('TRUSTED_PROXY_HOPS')
  await using behind = await startServer({ logger, config: { trustedProxyHops: 1 } })
  await send(`${behind.origin}/login`, { headers: { 'x-forwarded-for': '203.0.113.1' } })
  expect(lines.filter((line) => line.includes('proxy.untrusted'))).toHaveLength(1)
})
