import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { generate } from 'otplib/functional'
import { CAPS, LIMITS } from '../../src/config/limits.ts'
import { AppError } from '../../src/errors.ts'
import { canonicalAddress } from '../../src/http/middleware/client-address.ts'
import { networkOf } from '../../src/network.ts'
import { startCluster } from '../support/balancer.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { addresses, atLogin, atSignUp, isSignedIn, submitLogin } from './attacks.ts'

const WRONG = 'never the right passphrase'
const ORIGIN = { ip: '10.9.9.9', userAgent: 'test', requestId: 'test' }
const elsewhere = addresses()

type Instance = Pick<TestServer, 'origin' | 'context'>

/** One wrong or right password through the JSON door, from an address of its own. */
function byApi(server: Instance, email: string, password: string): Promise<Response> {
  const body = JSON.stringify({ email, password })
  return send(`${server.origin}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: {
      ...elsewhere(),
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    },
    body,
  })
}

/** The same through the hosted form. */
async function byForm(server: Instance, email: string, password: string): Promise<Response> {
  return (await submitLogin(await atLogin(server, { headers: elsewhere() }), email, password))
    .response
}

async function counter({ context }: Pick<TestServer, 'context'>, factor = 'password') {
  const { rows } = await context.database.pool.query<{
    failures: number
    delay: number | null
    forever: boolean | null
  }>(
    `select failures, case when blocked_until = 'infinity' then null else extract(epoch from blocked_until - updated_at)::float end as delay,
      blocked_until = 'infinity' as forever from attempt_counter where factor = $1 order by updated_at desc`,
    [factor],
  )
  return rows[0]
}

/** Time passes, as far as delays go. */
async function waitOut({ context }: Pick<TestServer, 'context'>): Promise<void> {
  await context.database.pool.query(
    `update attempt_counter set blocked_until = now() - interval '1 second' where blocked_until <> 'infinity'`,
  )
}

describe('guessing at one account', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ config: { trustedProxyHops: 1 } })
  })
  afterAll(() => server.stop())

  it('RL-01 ten failures over all doors together, then delays from 30 s to 1 h, and never a 101st evaluation', async () => {
    const account = await createAccount(server)
    const before = server.context.hasher.stats.evaluations
    const doors = [
      () => byForm(server, account.email, WRONG),
      () => byApi(server, account.email.toUpperCase(), WRONG),
      async () => {
        // The current password that a sensitive action asks for.
        const refusal = await server.context.passwords
          .prove(account.id, WRONG)
          .catch((error: AppError) => error)
        return new Response(null, { status: (refusal as AppError).status })
      },
    ]
    const delays: number[] = []
    for (let tried = 0; tried < 240; tried += 1) {
      const answer = await doors[tried % doors.length]?.()
      const state = await counter(server)
      if (state?.delay) delays.push(Math.round(state.delay))
      if (state?.forever) break
      if (answer?.status === 429) {
        expect(state?.failures).toBeGreaterThanOrEqual(CAPS.passwordFailures)
        await waitOut(server)
      }
    }
    expect(server.context.hasher.stats.evaluations - before).toBe(CAPS.passwordFailuresAbsolute)
    expect([...new Set(delays)].filter((delay) => delay >= 29)).toEqual([
      30, 60, 120, 240, 480, 960, 1920, 3600,
    ])
    for (const attempt of [byForm, byApi])
      expect((await attempt(server, account.email, PASSWORD)).status).toBe(429)
    expect(server.context.hasher.stats.evaluations - before).toBe(CAPS.passwordFailuresAbsolute)
  })

  it('RL-01 a sign-up with the address, which anybody can begin, neither clears the failures nor adds one', async () => {
    const account = await createAccount(server)
    const own = 'chosen by a stranger today'
    const signUp = await atSignUp(server, { headers: elsewhere() })
    await signUp.submit('/sign-up', { name: 'Mallory', email: account.email, password: own })
    const statuses: number[] = []
    for (let tried = 0; tried < CAPS.passwordFailures; tried += 1) {
      statuses.push((await byApi(server, account.email, own)).status)
      statuses.push((await byApi(server, account.email, WRONG)).status)
    }
    expect(new Set(statuses)).toEqual(new Set([403, 401]))
    expect(await counter(server)).toMatchObject({ failures: CAPS.passwordFailures })
    expect((await byApi(server, account.email, PASSWORD)).status).toBe(429)
  })

  it('RL-03 a known device and a reset still get in when an attacker has burnt every try', async () => {
    const account = await createAccount(server)
    const home = await atLogin(server, { headers: elsewhere() })
    await submitLogin(home, account.email, PASSWORD)
    expect(home.jar.find('gatehouse_device')).toBeDefined()
    for (let tried = 0; tried < CAPS.passwordFailures; tried += 1)
      await byApi(server, account.email, WRONG)
    await server.context.database.pool.query(
      `update attempt_counter set failures = ${CAPS.passwordFailuresAbsolute}, blocked_until = 'infinity' where blocked_until is not null`,
    )
    expect((await byForm(server, account.email, PASSWORD)).status).toBe(429)

    for (const name of ['gatehouse_session', 'gatehouse_session.sig']) home.jar.delete(name)
    await home.visit('/login')
    await submitLogin(home, account.email, PASSWORD)
    expect(await isSignedIn(home)).toBe(true)

    const stranger = new Browser(server.origin, { headers: elsewhere() })
    await stranger.visit('/forgot-password')
    await stranger.submit('/forgot-password', { email: account.email })
    const fresh = 'ribbon otter marble cello'
    await stranger.submit('/reset-password', {
      code: await server.inbox.code(account.email),
      password: fresh,
    })
    expect((await byForm(server, account.email, fresh)).status).toBe(200)
  })

  it('RL-03 a delay ends by itself, and a device cookie that the account does not know changes nothing', async () => {
    const [account, other] = [await createAccount(server), await createAccount(server)]
    const neighbour = await atLogin(server, { headers: elsewhere() })
    await submitLogin(neighbour, other.email, PASSWORD)
    for (let tried = 0; tried < CAPS.passwordFailures; tried += 1)
      await byApi(server, account.email, WRONG)
    for (const name of ['gatehouse_session', 'gatehouse_session.sig']) neighbour.jar.delete(name)
    await neighbour.visit('/login')
    expect((await submitLogin(neighbour, account.email, PASSWORD)).status).toBe(429)
    await waitOut(server)
    await neighbour.visit('/login')
    expect((await submitLogin(neighbour, account.email, PASSWORD)).status).toBe(200)
  })

  it('RL-05 authorization requests of one network are counted, whatever they ask: each is kept for an hour', async () => {
    const headers = elsewhere()
    const paths = ['/auth', '/auth?', '/auth?client_id=x']
    const statuses: number[] = []
    for (let asked = 0; asked < LIMITS.authorize.max + 3; asked += 1)
      statuses.push((await send(`${server.origin}${paths[asked % 3]}`, { headers })).status)
    expect(statuses.indexOf(429)).toBe(LIMITS.authorize.max)
    expect(statuses.slice(-3)).toEqual([429, 429, 429])
    expect((await send(`${server.origin}/auth`, { headers: elsewhere() })).status).not.toBe(429)
  })

  it('RL-03 guesses with a stolen device cookie are counted as well', async () => {
    const account = await createAccount(server)
    const thief = await atLogin(server, { headers: elsewhere() })
    await submitLogin(thief, account.email, PASSWORD)
    for (const name of ['gatehouse_session', 'gatehouse_session.sig']) thief.jar.delete(name)
    const before = server.context.hasher.stats.evaluations
    const statuses: number[] = []
    for (let tried = 0; tried < CAPS.passwordFailures + 2; tried += 1) {
      await thief.visit('/login', elsewhere())
      statuses.push((await submitLogin(thief, account.email, WRONG)).status)
    }
    expect(statuses.slice(-2)).toEqual([429, 429])
    expect(server.context.hasher.stats.evaluations - before).toBe(CAPS.passwordFailures)
  })

  it('RL-07 faults of ours are no failures: database, hash queue and pool may break 50 times', async () => {
    const account = await createAccount(server)
    await byApi(server, account.email, WRONG)
    const { hasher } = server.context
    const verify = hasher.verify.bind(hasher)
    const faults = [
      () => new AppError('unavailable', { retryAfterSeconds: 2 }),
      () =>
        Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' }),
    ]
    let index = 0
    hasher.verify = async () => {
      throw faults[index++ % 2]?.() ?? new Error('no fault')
    }
    try {
      for (let tried = 0; tried < 50; tried += 1) {
        const answer = await (tried % 10 === 0 ? byForm : byApi)(server, account.email, PASSWORD)
        expect(answer.status).toBe(503)
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
      }
    } finally {
      hasher.verify = verify
    }
    expect(await counter(server)).toMatchObject({ failures: 1, forever: null })
    expect((await byForm(server, account.email, PASSWORD)).status).toBe(200)
  })

  it('RL-09 EN-01 the answer over the cap is 429 with Retry-After, the same with and without an account', async () => {
    const known = await createAccount(server, { email: 'known-rl09@example.org' })
    const seen: unknown[] = []
    for (const email of [known.email, 'nobodyrl09@example.org']) {
      for (let tried = 0; tried < CAPS.passwordFailures; tried += 1)
        expect((await byApi(server, email, WRONG)).status).toBe(401)
      const browser = await atLogin(server, { headers: elsewhere() })
      const page = await submitLogin(browser, email, WRONG)
      const text = page.words.replaceAll(email, '@')
      seen.push({
        status: page.status,
        text,
        hasWait: Number(page.response.headers.get('retry-after')) > 0,
      })
      const json = await byApi(server, email, WRONG)
      const body = (await json.json()) as { request_id?: string }
      expect(Number(json.headers.get('retry-after'))).toBeGreaterThan(0)
      seen.push({ ...body, request_id: undefined, status: json.status })
    }
    expect(seen[0]).toMatchObject({ status: 429, hasWait: true })
    expect(seen[1]).toMatchObject({ status: 429, error: 'too_many_requests' })
    expect(seen.slice(0, 2)).toEqual(seen.slice(2))
  })
})

describe('guessing in parallel', () => {
  it('RL-02 of 200 wrong passwords at once over two instances, and the right one behind them, no more than the cap are evaluated', async () => {
    await using cluster = await startCluster(2, { config: { trustedProxyHops: 1 } })
    const [one, two] = cluster.instances as [TestServer, TestServer]
    const account = await createAccount(one)
    const count = () => one.context.hasher.stats.evaluations + two.context.hasher.stats.evaluations
    const before = count()
    const through = { origin: cluster.origin, context: one.context }
    const tries = Array.from({ length: 200 }, (_, index) =>
      byApi(through, account.email, `${WRONG} ${index}`),
    )
    const answers = await Promise.all([...tries, byApi(through, account.email, PASSWORD)])
    expect(count() - before).toBeLessThanOrEqual(CAPS.passwordFailures)
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(
      201 - CAPS.passwordFailures,
    )
    expect(await counter(one)).toMatchObject({ failures: CAPS.passwordFailures })
  })
})

describe('guessing at codes', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ config: { trustedProxyHops: 1 } })
  })
  afterAll(() => server.stop())

  /** Another code than this one. */
  const miss = (code: string, step: number) =>
    String((Number(code) + step) % 1_000_000).padStart(6, '0')

  it(`RL-06 after ${CAPS.codeTries} wrong codes of a sign-up the right one is not accepted either`, async () => {
    const browser = await atSignUp(server, { headers: elsewhere() })
    await browser.submit('/sign-up', {
      name: 'Grace',
      email: 'rl06@example.org',
      password: PASSWORD,
    })
    const code = await server.inbox.code('rl06@example.org')
    for (let step = 1; step <= CAPS.codeTries; step += 1)
      expect((await browser.submit('/verify-email', { code: miss(code, step) })).status).toBe(400)
    expect((await browser.submit('/verify-email', { code })).status).toBe(400)
    expect(await isSignedIn(browser)).toBe(false)
  })

  it(`RL-06 after ${CAPS.codeTries} wrong codes of a reset the right one changes nothing`, async () => {
    const account = await createAccount(server)
    const browser = new Browser(server.origin, { headers: elsewhere() })
    await browser.visit('/forgot-password')
    await browser.submit('/forgot-password', { email: account.email })
    const code = await server.inbox.code(account.email)
    const password = 'ribbon otter marble cello'
    for (let step = 1; step <= CAPS.codeTries; step += 1)
      expect(
        (await browser.submit('/reset-password', { code: miss(code, step), password })).status,
      ).toBe(400)
    expect((await browser.submit('/reset-password', { code, password })).status).toBe(400)
    expect((await byForm(server, account.email, PASSWORD)).status).toBe(200)
  })

  it('RL-06 RL-08 one-time codes have a cap of their own: three a challenge, five an account, and a right password does not reset it', async () => {
    const account = await createAccount(server)
    const { id: enrolmentId, secret } = await server.context.mfa.enrol(account)
    const typed = { accountId: account.id, enrolmentId, code: await generate({ secret }) }
    await server.context.mfa.confirm(typed, ORIGIN)
    const statuses: number[] = []
    let browser = await atLogin(server, { headers: elsewhere() })
    for (let tried = 0; tried < CAPS.codeFailures + 3; tried += 1) {
      if (tried % CAPS.challengeTries === 0) {
        browser = await atLogin(server, { headers: elsewhere() })
        const page = await submitLogin(browser, account.email, PASSWORD)
        expect(page.url.pathname).toMatch(/mfa$/)
        expect(await counter(server, 'password')).toBeUndefined()
      }
      statuses.push((await browser.submit('/mfa', { code: '000000' })).status)
    }
    expect(statuses.slice(0, CAPS.codeFailures)).toEqual(Array(CAPS.codeFailures).fill(400))
    expect(statuses.slice(CAPS.codeFailures)).toEqual([429, 429, 429])
    expect(await counter(server, 'otp')).toMatchObject({ failures: CAPS.codeFailures })

    browser = await atLogin(server, { headers: elsewhere() })
    await submitLogin(browser, account.email, PASSWORD)
    const future = await generate({ secret, epoch: Math.floor(Date.now() / 1000) })
    expect((await browser.submit('/mfa', { code: future })).status).toBe(429)
    expect(await isSignedIn(browser)).toBe(false)
  })
})

const csrfOf = (browser: Browser) =>
  browser.page.form(0).fields.find(({ name }) => name === '_csrf')?.value ?? ''

describe('limits per network', () => {
  it('RL-04 every spelling of an address is one address, and a /64 is one network', () => {
    for (const spelling of [
      '1.2.3.4',
      '::ffff:1.2.3.4',
      '::FFFF:0102:0304',
      '0:0:0:0:0:ffff:102:304',
      '[::ffff:1.2.3.4]',
    ])
      expect(networkOf(canonicalAddress(spelling) ?? '')).toBe('1.2.3.4')
    const networks = Array.from({ length: 1000 }, (_, index) =>
      networkOf(canonicalAddress(`2001:DB8:0:1::${index.toString(16)}`) ?? ''),
    )
    expect(new Set(networks).size).toBe(1)
    expect(networkOf(canonicalAddress('2001:db8:0:2::1') ?? '')).not.toBe(networks[0])
    for (const nonsense of [
      '',
      'localhost',
      '1.2.3',
      '1.2.3.4.5',
      '256.1.1.1',
      '::g',
      '1.2.3.4, 5.6.7.8',
      '<script>',
    ])
      expect(canonicalAddress(nonsense)).toBeUndefined()
  })

  /**
   * A form of this server's own, as often as one likes: what carries no token is refused before it
   * is counted.
   */
  async function ownForm(server: TestServer) {
    const browser = new Browser(server.origin)
    await browser.visit('/forgot-password')
    const cookie = browser.jar.header(new URL(server.origin)) ?? ''
    const body = new URLSearchParams({ _csrf: csrfOf(browser), email: 'not an address' }).toString()
    const headers = {
      cookie,
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(body.length),
    }
    return (more: Record<string, string>) =>
      send(`${server.origin}/forgot-password`, {
        method: 'POST',
        headers: { ...headers, ...more },
        body,
      })
  }

  it('RL-04 WB-09 1,000 addresses of one /64 share one bucket behind a trusted proxy', async () => {
    await using server = await startServer({ config: { trustedProxyHops: 1 } })
    const form = await ownForm(server)
    const post = (from: string) => form({ 'x-forwarded-for': from })
    const statuses: number[] = []
    for (let index = 0; index < 1000; index += 20) {
      const some = Array.from({ length: 20 }, (_, offset) =>
        post(`2001:db8:5:6:${(index + offset).toString(16)}::1`),
      )
      for (const { status } of await Promise.all(some)) statuses.push(status)
    }
    expect(statuses.filter((status) => status !== 429)).toHaveLength(LIMITS.forgot.max)
    expect((await post('2001:db8:5:7::1')).status).not.toBe(429)
    expect((await post('198.51.100.7')).status).not.toBe(429)
  })

  it('RL-04 WB-09 one caller is one bucket behind a trusted proxy, however the proxy and the caller spell it', async () => {
    await using server = await startServer({ config: { trustedProxyHops: 1 } })
    const post = await ownForm(server)
    const spellings = (index: number): string[] => [
      `203.0.113.9:${1024 + index}`,
      '203.0.113.9',
      `::ffff:203.0.113.9`,
      `[::ffff:cb00:7109]:${1024 + index}`,
      `[::FFFF:203.0.113.9]`,
      // What the caller sent stands before what the proxy appended.
      `10.0.0.${index % 256}, 203.0.113.9`,
      `, ,[2001:db8::${index}]:1 , 203.0.113.9:1`,
      `"203.0.113.${index % 256}", 203.0.113.9`,
    ]
    const statuses: number[] = []
    for (let index = 0; index < LIMITS.forgot.max + 20; index += 1) {
      const all = spellings(index)
      statuses.push((await post({ 'x-forwarded-for': all[index % all.length] ?? '' })).status)
    }
    expect(statuses.filter((status) => status === 429)).toHaveLength(20)
    expect((await post({ 'x-forwarded-for': '203.0.113.10:1024' })).status).not.toBe(429)
  })

  it('RL-04 WB-09 without a trusted proxy a forged X-Forwarded-For opens no new bucket', async () => {
    await using server = await startServer()
    const post = await ownForm(server)
    const names = [
      'x-forwarded-for',
      'forwarded',
      'x-real-ip',
      'x-client-ip',
      'cf-connecting-ip',
      'true-client-ip',
    ]
    const statuses: number[] = []
    for (let index = 0; index < LIMITS.forgot.max + 20; index += 1) {
      const name = names[index % names.length] ?? ''
      const value = name === 'forwarded' ? `for=10.0.0.${index}` : `10.0.0.${index}`
      statuses.push((await post({ [name]: value })).status)
    }
    expect(statuses.filter((status) => status === 429)).toHaveLength(20)
  })

  it('RL-05 RL-09 counts by route, not by the spelling of its path', async () => {
    await using server = await startServer()
    const browser = new Browser(server.origin)
    await browser.visit('/forgot-password')
    const form = { _csrf: csrfOf(browser), email: 'not an address' }
    const cookie = browser.jar.header(new URL(server.origin)) ?? ''
    const post = (path: string) =>
      rawPost(server, path, cookie, new URLSearchParams(form).toString())
    for (let index = 0; index < LIMITS.forgot.max; index += 1)
      expect(await post('/forgot-password')).not.toBe(429)
    expect(await post('/forgot-password')).toBe(429)
    const spellings = [
      '//forgot-password',
      '/forgot-password/',
      '/FORGOT-password',
      '/%66orgot-password',
      '/forgot%2dpassword',
      '/forgot-password?x=1',
      '/./forgot-password',
      '/x/../forgot-password',
      '/forgot-password;x=1',
      '/forgot-password%20',
      '/forgot-password%00',
      '/forgot-password%2f',
      '/forgot-password//',
      '\\forgot-password',
      '/%2e/forgot-password',
      '/forgot-password#x',
    ]
    for (const path of spellings)
      expect([path, [400, 404, 421, 429].includes(await post(path))]).toEqual([path, true])
  })
})

/** A POST whose path no client library has tidied up. */
async function rawPost(
  server: TestServer,
  path: string,
  cookie: string,
  body: string,
): Promise<number> {
  const { request } = await import('node:http')
  const headers = {
    cookie,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(body.length),
  }
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...server.address,
        path,
        method: 'POST',
        headers: { ...headers, host: new URL(server.origin).host },
        agent: false,
      },
      (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      },
    )
    sent.on('error', reject).end(body)
  })
}

describe('mail floods', () => {
  it('AA-01 300 requests of every mailing form from 300 networks send an address ten mails', async () => {
    await using server = await startServer({ config: { trustedProxyHops: 1 } })
    const account = await createAccount(server)
    const browser = new Browser(server.origin, { headers: elsewhere() })
    await browser.visit('/forgot-password')
    const csrf = csrfOf(browser)
    await browser.submit('/forgot-password', { email: account.email })
    const began = Date.now()
    for (let index = 0; index < 100; index += 1) {
      const forgot = await browser.post(
        '/forgot-password',
        { _csrf: csrf, email: account.email },
        { headers: elsewhere(), follow: false },
      )
      const again = await browser.post(
        '/reset-password/resend',
        { _csrf: csrf },
        { headers: elsewhere(), follow: false },
      )
      expect([forgot.status, again.status]).toEqual([303, 303])
      const signUp = await atSignUp(server, { headers: elsewhere() })
      expect(
        (
          await signUp.submit(
            '/sign-up',
            { name: 'Ada', email: account.email, password: PASSWORD },
            { follow: false },
          )
        ).status,
      ).toBe(303)
    }
    expect(Date.now() - began).toBeLessThan(3_600_000)
    const { rows } = await server.context.database.pool.query<{ count: number }>(
      `select count(*)::int as count from outbox_message where topic = 'mail'`,
    )
    expect(rows[0]?.count).toBe(CAPS.mailsPerHourTogether)
  })
})
