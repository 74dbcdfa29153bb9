import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { mailHandler } from '../../src/mail/handler.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import type { JsonValue } from '../../src/outbox/index.ts'
import { useDatabase } from '../support/database.ts'
import { startSmtpServer } from '../support/smtp-server.ts'
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

describe('enqueueing', () => {
  it('leaves nothing behind when the transaction rolls back', async () => {
    const database = await rig.database()
    const seen: JsonValue[] = []
    const worker = rig.worker(database, { mail: record(seen) })
    const failing = database.em.fork().transactional(async (em) => {
      outbox.enqueue(em, 'mail', 'never happened')
      await em.flush()
      throw new Error('rolled back')
    })
    await expect(failing).rejects.toThrow('rolled back')
    await worker.drain()
    expect([seen, await stored(database)]).toEqual([[], []])
  })

  it('wakes the worker at commit, without waiting for the next poll', async () => {
    const database = await rig.database()
    const seen: JsonValue[] = []
    rig.worker(database, { mail: record(seen) }, { pollMs: 60_000 }).start()
    await sleep(100)
    await enqueue(database, 'from a transaction')
    await until(() => seen.length === 1)
    const em = database.em.fork()
    outbox.enqueue(em, 'mail', 'from a bare flush')
    await em.flush()
    await until(() => seen.length === 2)
  })

  it('stores the body encrypted and bound to its row', async () => {
    const database = await rig.database()
    await enqueue(database, { code: '483920' }, { code: '483920' })
    const { rows } = await database.pool.query<{ dump: string }>(
      `select encode("body_box", 'escape') as "dump" from "outbox_message"`,
    )
    expect(rows.map(({ dump }) => dump.includes('483920') || dump.includes('code'))).toEqual([
      false,
      false,
    ])

    await database.pool.query(
      `update "outbox_message" as m set "body_box" = o."body_box" from "outbox_message" as o where o."id" <> m."id" and m."id" = (select min("id"::text)::uuid from "outbox_message")`,
    )
    const seen: JsonValue[] = []
    await rig.worker(database, { mail: record(seen) }).drain()
    expect(seen).toHaveLength(1)
    expect((await stored(database)).map(({ last_error }) => last_error)).toEqual([
      'the body cannot be decrypted with the configured keys',
    ])
  })
})

describe('leases', () => {
  it('F02 two instances with two workers each deliver 200 messages exactly once', async () => {
    const [a, b] = [await rig.database(), await rig.database()]
    await enqueue(a, ...Array.from({ length: 200 }, (_, index) => index))
    const seen: JsonValue[] = []
    const handlers = { mail: record(seen, () => sleep(2)) }
    for (const database of [a, a, b, b]) rig.worker(database, handlers).start()
    await until(async () => (await stored(a)).length === 0, 15_000)
    expect(seen.toSorted((x, y) => Number(x) - Number(y))).toEqual(
      Array.from({ length: 200 }, (_, index) => index),
    )
  })

  it('hands a message to nobody else while an attempt runs', async () => {
    const [a, b] = [await rig.database(), await rig.database()]
    await enqueue(a, 'one')
    rig.worker(a, { mail: never }, { graceMs: 50 }).start()
    await until(async () => (await stored(a))[0]?.attempts === 1)
    const seen: JsonValue[] = []
    await rig.worker(b, { mail: record(seen) }).drain()
    expect(seen).toEqual([])
    expect((await stored(a))[0]?.due_in).toBeGreaterThan(60)
  })

  it('F02 kill -9 between delivery and its record costs one duplicate at most, with the same Message-ID', async () => {
    const database = await rig.database()
    await using smtp = await startSmtpServer()
    await enqueue(database, {
      to: 'ada@example.org',
      subject: 'Once',
      text: 'once',
      html: '<p>once</p>',
    })

    await killedAfterDelivery(at.url, smtp.port)
    expect(smtp.mails).toHaveLength(1)
    expect(await stored(database)).toMatchObject([{ attempts: 1, delivered: false, failed: false }])

    await letTimePass(database)
    await using mailer = smtpTransport(`smtp://127.0.0.1:${smtp.port}`, {
      name: 'Gatehouse',
      address: 'no-reply@id.example.org',
    })
    const worker = rig.worker(database, { mail: mailHandler(mailer) })
    await worker.drain()
    await worker.drain()
    expect(smtp.mails).toHaveLength(2)
    expect(smtp.mails[0]?.messageId).toMatch(/^<[0-9a-f-]{36}@id\.example\.org>$/)
    expect(smtp.mails[1]?.messageId).toBe(smtp.mails[0]?.messageId)
    expect(smtp.mails[1]?.headers.find(({ name }) => name === 'date')).toEqual(
      smtp.mails[0]?.headers.find(({ name }) => name === 'date'),
    )
    expect(await stored(database)).toEqual([])
  })

  it('marks instead of deletes for the dev inbox', async () => {
    const database = await rig.database()
    await enqueue(database, 'kept')
    const seen: JsonValue[] = []
    const worker = rig.worker(database, { mail: record(seen) }, {}, { keepDelivered: true })
    await worker.drain()
    await worker.drain()
    expect(seen).toEqual(['kept'])
    expect(await stored(database)).toMatchObject([{ delivered: true, failed: false }])
  })
})

/** Another process delivers by SMTP and dies by SIGKILL before it can write that down. */
async function killedAfterDelivery(databaseUrl: string, smtpPort: number): Promise<void> {
  const script = fileURLToPath(new URL('crashing-worker.ts', import.meta.url))
  const child = spawn(process.execPath, [script, databaseUrl, String(smtpPort), ...KEYS], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  expect(signal).toBe('SIGKILL')
}
