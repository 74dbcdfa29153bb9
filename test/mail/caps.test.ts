import { beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { Database, EntityManager } from '../../src/database/database.ts'
import { createLogger } from '../../src/logger/logger.ts'
import { type Admission, type Asker, type MailBudget, MailCaps } from '../../src/mail/caps.ts'
import { Messages } from '../../src/mail/messages.ts'
import { createViews } from '../../src/views/views.ts'
import { useDatabase } from '../support/database.ts'
import { outbox, Rig } from './outbox-rig.ts'

const at = useDatabase()
const rig = new Rig(() => at.url)
const ISSUER = 'https://id.example.org'
let database: Database

beforeEach(async () => {
  database = await rig.database()
  await database.pool.query('truncate "attempt_counter", "outbox_message"')
})

const ASKER = { network: '192.0.2.1' }

const take = (
  caps: MailCaps,
  address: string,
  { budget = 'request', ...asker }: Partial<Asker> & { budget?: MailBudget } = {},
): Promise<Admission> =>
  database.em.fork().transactional((em) => caps.take(em, address, budget, { ...ASKER, ...asker }))

async function takeMany(
  caps: MailCaps,
  address: string,
  count: number,
  ask: (index: number) => Partial<Asker> = () => ({}),
): Promise<number> {
  let granted = 0
  for (let index = 0; index < count; index += 1)
    if ((await take(caps, address, ask(index))) === 'granted') granted += 1
  return granted
}

/** A network of its own for every request. */
const strangers = (index: number): Asker => ({ network: `198.51.100.${index}` })

/** As if everything had happened so long ago. */
async function age(interval: string): Promise<void> {
  await database.pool.query(
    `update "attempt_counter" set "updated_at" = "updated_at" - $1::interval, "window_started_at" = "window_started_at" - $1::interval`,
    [interval],
  )
}

function messages(log: string[], caps?: MailCaps): Messages {
  const logger = createLogger('debug', { write: (line: string) => void log.push(line) })
  return new Messages({
    outbox,
    views: () => createViews({ brand: { name: 'Acme' }, issuer: ISSUER }),
    issuer: ISSUER,
    signIn: { methods: ['password'] },
    logger,
    ...(caps ? { caps } : {}),
  })
}

const token = () => ({
  code: '123456',
  linkSecret: 'secret',
  expiresAt: new Date(Date.now() + 600_000),
})

async function queued(): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(
    'select count(*)::int as "count" from "outbox_message"',
  )
  return rows[0]?.count ?? -1
}

describe('one address', () => {
  it('AA-01 1,000 requests from two instances, 40 at a time, cause three mails', async () => {
    const log: string[] = []
    const sender = messages(log)
    const instances = [database, await rig.database()]
    let left = 1000
    const request = ({ em }: Database) =>
      em.fork().transactional(async (tx) => {
        await sender.resetPassword(tx, { to: 'ada@example.org', issued: token() })
      })
    const lane = async (instance: Database) => {
      while (left-- > 0) await request(instance)
    }
    await Promise.all(
      instances.flatMap((instance) => Array.from({ length: 20 }, () => lane(instance))),
    )
    expect(await queued()).toBe(3)
    expect(log.filter((line) => line.includes('mail.capped'))).toHaveLength(997)
    expect(log.join('')).not.toContain('ada')
  })

  it('AA-01 all mails that anyone can ask for share one budget, whatever their kind', async () => {
    const sender = messages([])
    await database.em.fork().transactional(async (em) => {
      const mail = { to: 'ada@example.org', issued: token() }
      await sender.verifyEmail(em, mail)
      await sender.verifyEmail(em, { ...mail, isRegistered: true })
      await sender.resetPassword(em, mail)
      await sender.changeEmail(em, mail)
      await sender.codeAlone(em, 'change-password', mail)
    })
    expect(await queued()).toBe(3)
  })

  it('AA-01 no hour, wherever it starts, sees more than three mails that one network asked for', async () => {
    const caps = new MailCaps({ perDay: 20 })
    const granted: number[] = []
    for (let minute = 0; minute < 300; minute += 10) {
      if ((await take(caps, 'ada@example.org')) === 'granted') granted.push(minute)
      await age('10 minutes')
    }
    const busiest = Math.max(
      ...granted.map(
        (start) => granted.filter((minute) => minute >= start && minute < start + 60).length,
      ),
    )
    expect(busiest).toBe(3)
    expect(granted).toHaveLength(15)
  })

  it('AA-01 no day sees more than six mails of one network and twenty of all, and the next day has its own', async () => {
    const caps = new MailCaps()
    let [one, others] = [0, 0]
    for (let hour = 0; hour < 23; hour += 1) {
      one += await takeMany(caps, 'ada@example.org', 4)
      others += await takeMany(caps, 'ada@example.org', 12, strangers)
      await age('1 hour 1 second')
    }
    expect([one, one + others]).toEqual([6, 20])
    await age('2 hours')
    expect(await takeMany(caps, 'ada@example.org', 4)).toBe(3)
  })

  it('AA-01 one network uses up nobody else’s mails, and all together get ten an hour', async () => {
    const caps = new MailCaps()
    expect(await takeMany(caps, 'ada@example.org', 20)).toBe(3)
    expect(await takeMany(caps, 'ada@example.org', 20, strangers)).toBe(7)
  })

  it('AA-01 the owner has three an hour besides, which no stranger uses up', async () => {
    const caps = new MailCaps()
    await takeMany(caps, 'ada@example.org', 20, strangers)
    const owner = (index: number) => ({ ...strangers(index), own: 'device:1' })
    expect(await takeMany(caps, 'ada@example.org', 5, owner)).toBe(3)
    await age('1 hour 1 second')
    expect(await takeMany(caps, 'ada@example.org', 5, owner)).toBe(3)
  })

  it('AA-01 strangers in parallel, each from a network of their own, get no more than ten', async () => {
    const caps = new MailCaps()
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, index) => take(caps, 'ada@example.org', strangers(index))),
    )
    const granted = outcomes.filter((outcome) => outcome === 'granted').length
    expect(granted).toBeGreaterThanOrEqual(1)
    expect(granted).toBeLessThanOrEqual(10)
  })

  it('does not touch another address', async () => {
    const caps = new MailCaps()
    expect(await takeMany(caps, 'ada@example.org', 5)).toBe(3)
    expect(await takeMany(caps, 'bob@example.org', 5)).toBe(3)
  })

  it('counts no mail that a rollback took back', async () => {
    const caps = new MailCaps()
    for (let round = 0; round < 5; round += 1) {
      const failing = database.em.fork().transactional(async (em) => {
        await caps.take(em, 'ada@example.org', 'request', ASKER)
        throw new Error('rolled back')
      })
      await expect(failing).rejects.toThrow('rolled back')
    }
    expect(await takeMany(caps, 'ada@example.org', 5)).toBe(3)
  })

  it('stores no address in clear', async () => {
    await take(new MailCaps(), 'ada@example.org')
    const { rows } = await database.pool.query<{ dump: string }>(
      `select encode("subject", 'escape') as "dump" from "attempt_counter"`,
    )
    expect(rows).toHaveLength(3)
    expect(JSON.stringify(rows)).not.toContain('ada')
  })
})

describe('notices', () => {
  it('AA-01 mails that an attacker asks for never silence a security notice, nor one kind of notice another', async () => {
    const sender = messages([])
    const send = (work: (em: EntityManager) => Promise<unknown>) =>
      database.em.fork().transactional(work)
    const notice = { to: 'ada@example.org', at: new Date(), report: { linkSecret: 'secret' } }
    for (let index = 0; index < 10; index += 1) {
      await send((em) => sender.resetPassword(em, { to: 'ada@example.org', issued: token() }))
      await send((em) => sender.securityNotice(em, { ...notice, kind: 'new_device' }))
    }
    expect(await queued()).toBe(6)
    await send((em) => sender.securityNotice(em, { ...notice, kind: 'password_changed' }))
    expect(await queued()).toBe(7)
  })
})

describe('the whole server', () => {
  it('AA-01 knows of the last mail counted whether half of an hour is spent, and for an hour', async () => {
    const caps = new MailCaps({ perHourGlobal: 10, perHourSuspected: 4 })
    for (let index = 0; index < 4; index += 1)
      await take(caps, `user${index}@example.org`, { isSuspected: true })
    for (let index = 0; index < 6; index += 1)
      await take(caps, `user${index}@example.org`, { budget: 'notice:password_changed' })
    for (let index = 0; index < 4; index += 1) await take(caps, `other${index}@example.org`)
    expect(caps.isHalfSpent()).toBe(false)
    await take(caps, 'fifth@example.org')
    expect(caps.isHalfSpent()).toBe(true)
    const later = Date.now() + 3_600_001
    const clock = jest.spyOn(Date, 'now').mockReturnValue(later)
    expect(caps.isHalfSpent()).toBe(false)
    clock.mockRestore()
    const elsewhere = new MailCaps({ perHourGlobal: 4 })
    expect(await take(elsewhere, 'sixth@example.org')).toBe('over_server_cap')
    expect(elsewhere.isHalfSpent()).toBe(true)
  })

  it('AA-01 a global cap bounds the mail of an hour over all addresses, and notices have their own', async () => {
    const caps = new MailCaps({ perHourGlobal: 10 })
    const outcomes: Admission[] = []
    for (let index = 0; index < 15; index += 1)
      outcomes.push(await take(caps, `user${index}@example.org`))
    expect(outcomes.filter((outcome) => outcome === 'granted')).toHaveLength(10)
    expect(outcomes.at(-1)).toBe('over_server_cap')
    expect(await take(caps, 'ada@example.org', { budget: 'notice:password_changed' })).toBe(
      'granted',
    )
    await age('1 hour 1 second')
    expect(await take(caps, 'new@example.org')).toBe('granted')
  })

  it('AA-01 the global cap holds in parallel and spread over rows', async () => {
    const caps = new MailCaps({ perHourGlobal: 250 })
    let left = 400
    let granted = 0
    const lane = async () => {
      while (left-- > 0)
        if ((await take(caps, `user${left}@example.org`)) === 'granted') granted += 1
    }
    await Promise.all(Array.from({ length: 10 }, lane))
    expect(granted).toBeLessThanOrEqual(250)
    expect(granted).toBeGreaterThan(200)
    const { rows } = await database.pool.query(
      `select 1 from "attempt_counter" where "failures" > 1`,
    )
    expect(rows).toHaveLength(2)
  })
})

describe('over a cap', () => {
  it('AA-01 a token is made only if its mail goes out', async () => {
    const sender = messages([])
    let made = 0
    const issue = async () => {
      made += 1
      return token()
    }
    const answers: unknown[] = []
    for (let index = 0; index < 5; index += 1)
      answers.push(
        await database.em
          .fork()
          .transactional((em) =>
            sender.resetPassword(em, { to: 'ada@example.org', issued: issue }),
          ),
      )
    expect(made).toBe(3)
    expect(answers.map((answer) => answer !== undefined)).toEqual([true, true, true, false, false])
  })
})
