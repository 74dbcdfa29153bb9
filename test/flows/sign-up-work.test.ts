import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { LIFETIMES } from '../../src/config/limits.ts'
import { StatelessChallenges } from '../../src/crypto/challenge.ts'
import { SignUpWork } from '../../src/http/sign-up-work.ts'
import { Browser } from '../support/browser.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { TEST_SECRETS } from '../support/secrets.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { takeWaiting } from '../support/slow-lane.ts'
import { challengeOf, work } from '../support/work.ts'

let database: TestDatabase
let server: TestServer
let adaptive: TestServer
let off: TestServer
beforeAll(async () => {
  database = await createDatabase()
  server = await startServer({ database, config: { proofOfWork: 'always' } })
  adaptive = await startServer({ database })
  off = await startServer({ database, config: { proofOfWork: 'off' } })
})
afterAll(async () => {
  for (const each of [server, adaptive, off]) await each.stop()
  await database.drop()
})

let made = 0
const someone = () => `work.${++made}@example.org`
const wanted = (email: string) => ({ name: 'Grace Hopper', email, password: PASSWORD })
const waiting = () => takeWaiting(server)
const forgetMails = () =>
  server.context.database.pool.query(`delete from "attempt_counter" where "factor" = 'mail'`)

async function open(at: TestServer = server): Promise<{ browser: Browser; challenge: string }> {
  const browser = new Browser(at.origin)
  await browser.visit('/signup')
  return { browser, challenge: challengeOf(browser) ?? '' }
}

const send = (browser: Browser, proof: string, email = someone()) =>
  browser.submit('/sign-up', { ...wanted(email), proof })
/** A form that asks for no work. */
const sendPlain = (browser: Browser) => browser.submit('/sign-up', wanted(someone()))

describe('work for a sign-up', () => {
  it('AA-01 that is done has the mail sent at once', async () => {
    const { browser, challenge } = await open()
    const email = someone()
    await send(browser, work(challenge), email)
    expect(await waiting()).toBe(0)
    const page = await browser.submit('/verify-email', { code: await server.inbox.code(email) })
    expect([page.status, page.url.pathname]).toEqual([200, '/account'])
  })

  it('AA-01 EN-01 that is not done changes no answer, with an account or without, and stops no person', async () => {
    const [email, { email: known }] = [someone(), await createAccount(server)]
    const { browser, challenge } = await open()
    const page = await send(browser, '', email)
    const diligent = await open()
    const done = await send(diligent.browser, work(diligent.challenge))
    expect([done.status, done.url.pathname.split('/').at(-1)]).toEqual([200, 'verify-email'])
    const asKnown = await send((await open()).browser, '', known)
    for (const other of [page, asKnown])
      expect(other.words.replace(/\S+@\S+/, '')).toBe(done.words.replace(/\S+@\S+/, ''))
    expect(await waiting()).toBe(2)
    await browser.submit('/resend')
    const { pool } = server.context.database
    await pool.query('update "outbox_message" set "available_at" = now()')
    const end = await browser.submit('/verify-email', { code: await server.inbox.code(email) })
    expect([end.status, end.url.pathname, challenge.length]).toEqual([200, '/account', 48])
  })

  it('AA-01 is spent once, and the page that is shown again has other work', async () => {
    const { browser, challenge } = await open()
    const proof = work(challenge)
    const again = await browser.submit('/sign-up', { ...wanted(someone()), name: '', proof })
    expect(again.status).toBe(400)
    const next = challengeOf(browser) ?? ''
    expect(next).toHaveLength(48)
    expect(next).not.toBe(challenge)
    await send(browser, proof)
    expect(await waiting()).toBe(1)
  })

  it('AA-01 counts in its own interaction and time only, and what is odd or forged not at all', async () => {
    await forgetMails()
    const foreign = work((await open()).challenge)
    const { browser, challenge } = await open()
    const uid = browser.page.url.pathname.split('/')[2] ?? ''
    const challenges = new StatelessChallenges(TEST_SECRETS.cookieKeys, 'sign-up')
    const made = (ceremony: 'sign-up.work' | 'sign-up.shown', binding: string, seconds = 600) =>
      work(challenges.make(ceremony, binding, seconds))
    const refused = [
      foreign,
      work(challenge, false),
      made('sign-up.work', uid, 0),
      made('sign-up.shown', uid),
      work(new StatelessChallenges(['another secret']).make('sign-up.work', uid, 600)),
      work('A'.repeat(48)),
      `${challenge}.`,
      `${challenge}.-1`,
      `${challenge}.${'9'.repeat(400)}`,
      `${challenge}.1e3`,
      `${challenge}.٣`,
      `${work(challenge)}\n`,
      ` ${work(challenge)}`,
      'x'.repeat(5000),
      '\u0000',
    ]
    const { pool } = server.context.database
    const spent = await pool.query('select from "spent_challenge"')
    const form = browser.page.form('/sign-up')
    const post = (proof: string) =>
      browser.submit(form, { ...wanted(someone()), proof }, { follow: false })
    for (const proof of refused) expect((await post(proof)).status).toBe(303)
    expect(await waiting()).toBe(refused.length)
    expect((await pool.query('select from "spent_challenge"')).rowCount).toBe(spent.rowCount)
    expect((await post(made('sign-up.work', uid))).status).toBe(303)
    expect(await waiting()).toBe(0)
  })

  it('AA-01 of fifty at once with one proof, at two instances, one has done it', async () => {
    const challenges = new StatelessChallenges(TEST_SECRETS.cookieKeys, 'sign-up')
    const instances = [server, adaptive].map(
      ({ context: { mailCaps, database } }) =>
        new SignUpWork({ mode: 'always', mailCaps, challenges, pool: database.pool }),
    )
    const proof = work(challenges.make('sign-up.work', 'abc', LIFETIMES.challenge))
    const missing = await Promise.all(
      Array.from({ length: 25 }, () =>
        instances.map((each) => each.isMissing(proof, 'abc')),
      ).flat(),
    )
    expect(missing.filter((isMissing) => !isMissing)).toHaveLength(1)
  })
})

describe('work is asked for', () => {
  const asks = async (at: TestServer) => challengeOf((await open(at)).browser) !== undefined
  /** The mails of an hour, as if the whole server had sent so many. */
  const spend = (share: number) =>
    server.context.database.pool.query(
      `insert into "attempt_counter" ("subject", "factor", "failures", "window_started_at", "updated_at")
       select sha256(convert_to('mail:server:request:' || n, 'UTF8')), 'mail', ($1::float8 * 10000 / 32)::int, now(), now()
       from generate_series(0, 31) n on conflict ("subject", "factor") do update set "failures" = excluded."failures", "window_started_at" = now()`,
      [share],
    )

  it('AA-01 only while half of the mails of an hour are spent, and then of the form that is sent', async () => {
    await forgetMails()
    await spend(0.45)
    const early = await open(adaptive)
    expect(early.challenge).toBe('')
    expect(early.browser.page.text).not.toContain('/assets/work')
    await sendPlain((await open(adaptive)).browser)
    expect([await waiting(), await asks(adaptive)]).toEqual([0, false])
    await spend(0.5)
    await sendPlain((await open(adaptive)).browser)
    expect([await waiting(), await asks(adaptive)]).toEqual([0, true])
    await sendPlain(early.browser)
    expect(await waiting()).toBe(1)
    const { browser, challenge } = await open(adaptive)
    await send(browser, work(challenge))
    expect(await waiting()).toBe(0)
  })

  it('AA-01 never where it is off', async () => {
    await spend(0.9)
    for (let count = 0; count < 2; count += 1) await sendPlain((await open(off)).browser)
    expect(off.context.mailCaps.isHalfSpent()).toBe(true)
    expect([await asks(off), await waiting()]).toEqual([false, 0])
  })

  it.each(['off', 'adaptive', 'always'] as const)(
    'makes no statement for what is no proof, nor for one that nobody asked for: %s',
    async (mode) => {
      const challenges = new StatelessChallenges(TEST_SECRETS.cookieKeys, 'sign-up')
      const query = () => {
        throw new Error('a statement')
      }
      const mailCaps = { isHalfSpent: () => false }
      const asked = new SignUpWork({ mode, mailCaps, challenges, pool: { query } })
      const challenge = challenges.make('sign-up.work', 'abc', 600)
      const isAsked = mode === 'always'
      expect(asked.ask('abc') !== undefined).toBe(isAsked)
      expect(await asked.isMissing('', 'abc')).toBe(isAsked)
      expect(await asked.isMissing(work(challenge, false), 'abc')).toBe(isAsked)
      const proven = asked.isMissing(work(challenge), 'abc')
      if (isAsked) await expect(proven).rejects.toThrow('a statement')
      else expect(await proven).toBe(false)
    },
  )
})
