import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from '@jest/globals'
import {
  type Delivery,
  type JsonValue,
  PermanentFailure,
  TemporaryFailure,
  Unreachable,
} from '../../src/outbox/index.ts'
import { useDatabase } from '../support/database.ts'
import {
  empty,
  enqueue,
  KEYS,
  letTimePass,
  outbox,
  Rig,
  record,
  stored,
  until,
} from './outbox-rig.ts'

const at = useDatabase()
const rig = new Rig(() => at.url)
const never = () => new Promise<void>(() => undefined)

beforeEach(async () => {
  const database = await rig.database()
  await empty(database)
})

describe('failures', () => {
  it('F13 a temporary failure is tried again after 1, 2, 4 minutes and so on up to a day, each a quarter more or less', async () => {
    const database = await rig.database()
    await enqueue(database, 'stubborn')
    const worker = rig.worker(database, {
      mail: async () => {
        throw new TemporaryFailure('smtp 451')
      },
    })
    const minutes: number[] = []
    for (let attempt = 1; attempt <= 13; attempt += 1) {
      await worker.drain()
      const [message] = await stored(database)
      minutes.push((message?.due_in ?? 0) / 60)
      expect(message).toMatchObject({ attempts: attempt, failed: false, last_error: 'smtp 451' })
      await letTimePass(database)
    }
    for (const [index, actual] of minutes.entries()) {
      const expected = Math.min(2 ** index, 1440)
      expect(actual).toBeGreaterThan(expected * 0.74)
      expect(actual).toBeLessThan(expected * 1.26)
    }
    expect(
      new Set(minutes.map((actual, index) => (actual / Math.min(2 ** index, 1440)).toFixed(3)))
        .size,
    ).toBeGreaterThan(5)
  })

  it('F13 a message is given up after the last attempt: visible, logged, never tried again', async () => {
    const database = await rig.database()
    await enqueue(database, { secret: 'canary-7f3a' })
    let calls = 0
    const fail = async () => {
      calls += 1
      throw new TemporaryFailure('smtp EENVELOPE 451 4.7.1 at RCPT TO')
    }
    const worker = rig.worker(database, { mail: fail }, { maxAttempts: 3 })
    for (let round = 0; round < 6; round += 1) {
      await worker.drain()
      await letTimePass(database)
    }
    expect(calls).toBe(3)
    expect(await stored(database)).toMatchObject([
      { attempts: 3, failed: true, last_error: 'smtp EENVELOPE 451 4.7.1 at RCPT TO' },
    ])
    expect(rig.events('outbox.failed')).toMatchObject([
      { level: 50, topic: 'mail', attempt: 3, reason: 'smtp EENVELOPE 451 4.7.1 at RCPT TO' },
    ])
  })

  it('F13 a message is given up at the age of 72 hours', async () => {
    const database = await rig.database()
    const fail = async (body: JsonValue) => {
      throw body === 'unreachable'
        ? new Unreachable('smtp ECONNECTION')
        : new TemporaryFailure('smtp 451')
    }
    await enqueue(database, 'temporary', 'unreachable')
    const worker = rig.worker(database, { mail: fail })
    await worker.drain()
    expect((await stored(database)).map(({ failed }) => failed)).toEqual([false, false])
    await database.pool.query(
      `update "outbox_message" set "created_at" = now() - interval '72 hours 1 second', "available_at" = now()`,
    )
    await worker.drain()
    expect((await stored(database)).map(({ failed }) => failed)).toEqual([true, true])
  })

  it('F13 a refusal that may be about us is tried again and believed at the age that it names', async () => {
    const database = await rig.database()
    await enqueue(database, 'refused')
    const worker = rig.worker(database, {
      mail: async () => {
        throw new TemporaryFailure('smtp EMESSAGE 554 5.7.0 at DATA', { finalAtMs: 6 * 3_600_000 })
      },
    })
    const at = async (age: string) => {
      await database.pool.query(
        `update "outbox_message" set "created_at" = now() - $1::interval, "available_at" = now()`,
        [age],
      )
      await worker.drain()
      return (await stored(database)).map(({ failed }) => failed)
    }
    expect(await at('0 seconds')).toEqual([false])
    expect(await at('5 hours 59 minutes')).toEqual([false])
    expect(await at('6 hours 1 second')).toEqual([true])
  })

  it('gives up at once when the failure is permanent', async () => {
    const database = await rig.database()
    await enqueue(database, 'refused')
    const worker = rig.worker(database, {
      mail: async () => {
        throw new PermanentFailure('smtp EENVELOPE 550 5.1.1 at RCPT TO')
      },
    })
    await worker.drain()
    expect(await stored(database)).toMatchObject([{ attempts: 1, failed: true }])
  })

  it('gives up a message that ends the process every time', async () => {
    const database = await rig.database()
    await enqueue(database, 'deadly')
    await database.pool.query('update "outbox_message" set "attempts" = 20')
    const seen: JsonValue[] = []
    await rig.worker(database, { mail: record(seen) }).drain()
    expect(seen).toEqual([])
    expect(await stored(database)).toMatchObject([
      { failed: true, last_error: 'no attempt ever ended' },
    ])
  })

  it('F13 an unreachable receiver costs no attempts; one probe at a time goes out until it is back, then all at once', async () => {
    const database = await rig.database()
    await enqueue(database, ...Array.from({ length: 50 }, (_, index) => index))
    let isDown = true
    let calls = 0
    const seen: JsonValue[] = []
    const handler = async (body: JsonValue) => {
      calls += 1
      if (isDown) throw new Unreachable('smtp ECONNECTION')
      seen.push(body)
    }
    rig.worker(database, { mail: handler }, { firstPauseMs: 50, maxPauseMs: 200 }).start()
    await sleep(1500)
    expect(calls).toBeLessThan(20)
    expect((await stored(database)).map(({ attempts }) => attempts)).toEqual(
      Array.from({ length: 50 }, () => 0),
    )
    isDown = false
    await until(() => seen.length === 50)
    expect(new Set(seen).size).toBe(50)
    expect(rig.events('outbox.unreachable')).toHaveLength(1)
    expect(rig.events('outbox.reachable')).toHaveLength(1)
  })

  it('LG-02 neither the log nor the table holds what a failing handler says about the body', async () => {
    const database = await rig.database()
    await enqueue(database, { to: 'canary@example.org', code: 'canary-code' })
    const worker = rig.worker(database, {
      mail: async (body) => {
        throw Object.assign(new TypeError(`cannot send ${JSON.stringify(body)}`), { code: 'EODD' })
      },
    })
    await worker.drain()
    expect(await stored(database)).toMatchObject([{ last_error: 'TypeError EODD' }])
    expect(rig.log.length).toBeGreaterThan(0)
    expect(JSON.stringify(rig.log)).not.toContain('canary')
  })
})

describe('hanging receivers', () => {
  it('a handler that hangs occupies its slot until the timeout and stalls neither the others nor another topic', async () => {
    const database = await rig.database()
    const logouts: JsonValue[] = []
    const mails: JsonValue[] = []
    const mail = (body: JsonValue) =>
      body === 'hangs' ? never() : Promise.resolve(void mails.push(body))
    await enqueue(database, 'hangs', 'hangs', 'a', 'b', 'c', 'd')
    await database.em
      .fork()
      .transactional(async (em) => outbox.enqueue(em, 'backchannel_logout', 'logout'))
    const handlers = { mail, backchannel_logout: record(logouts) }
    rig.worker(database, handlers, { timeoutMs: 3000, firstPauseMs: 60_000, graceMs: 50 }).start()
    await until(() => mails.length === 4 && logouts.length === 1, 2500)
    await until(async () =>
      (await stored(database)).every(({ last_error }) => last_error === 'no answer within 3000 ms'),
    )
    expect(await stored(database)).toHaveLength(2)
  })

  it('tells the handler by its signal that time is up', async () => {
    const database = await rig.database()
    await enqueue(database, 'slow')
    let reason: string | undefined
    const slow = (_: JsonValue, { signal }: Delivery) =>
      new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reason = 'aborted'
          reject(new Error('aborted'))
        })
      })
    await rig.worker(database, { mail: slow }, { timeoutMs: 100 }).drain()
    expect(reason).toBe('aborted')
  })

  it('F25 shutdown ends within five seconds whatever hangs, and gives the lease back uncounted', async () => {
    const database = await rig.database()
    await enqueue(database, 'hangs')
    const worker = rig.worker(database, { mail: never })
    worker.start()
    await until(async () => (await stored(database))[0]?.attempts === 1)
    const began = performance.now()
    await worker[Symbol.asyncDispose]()
    expect(performance.now() - began).toBeLessThan(5000)
    const [message] = await stored(database)
    expect(message).toMatchObject({ attempts: 0, failed: false, delivered: false })
    expect(message?.due_in).toBeLessThanOrEqual(0)
  })

  it('F25 shutdown lets a running attempt finish and starts no other', async () => {
    const database = await rig.database()
    await enqueue(database, 'a', 'b')
    const seen: JsonValue[] = []
    const worker = rig.worker(
      database,
      { mail: record(seen, () => sleep(300)) },
      { concurrency: 1 },
    )
    worker.start()
    await until(async () => (await stored(database)).some(({ attempts }) => attempts === 1))
    await worker[Symbol.asyncDispose]()
    expect(seen).toHaveLength(1)
    expect(await stored(database)).toMatchObject([{ attempts: 0 }])
  })
})

describe('the database', () => {
  it('F09 the worker outlives a database that goes away and delivers when it is back, without a duplicate', async () => {
    const database = await rig.database()
    const admin = await rig.adminOf()
    const seen: JsonValue[] = []
    await enqueue(database, 'before')
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    rig.worker(database, { mail: record(seen, () => gate) }).start()
    await until(async () => (await stored(database))[0]?.attempts === 1)

    await admin.refuse()
    release()
    await until(() => rig.events('outbox.database_down').length === 1)
    expect(seen).toEqual(['before'])

    await admin.accept()
    await until(() => rig.events('outbox.database_back').length === 1)
    await enqueue(database, 'after')
    await until(() => seen.length === 2)
    await until(async () => (await stored(database)).length === 0)
    expect(seen).toEqual(['before', 'after'])
  })

  it('CF-04 opens messages sealed by an older key and keeps those of an unknown one', async () => {
    const database = await rig.database()
    await enqueue(database, 'old')
    const seen: JsonValue[] = []
    const handler = record(seen)
    const other = 'q9XwT2bLr7ZsVn4kHd8mPc1yGf6jAe3uQo5iRtEx'
    await rig.worker(database, { mail: handler }, {}, { keys: [other] }).drain()
    expect(await stored(database)).toMatchObject([
      { failed: false, last_error: 'the body cannot be decrypted with the configured keys' },
    ])
    await letTimePass(database)
    await rig.worker(database, { mail: handler }, {}, { keys: [other, ...KEYS] }).drain()
    expect(seen).toEqual(['old'])
  })
})
