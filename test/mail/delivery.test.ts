import { beforeEach, expect, it } from '@jest/globals'
import type { Database } from '../../src/database/database.ts'
import { createLogger } from '../../src/logger/logger.ts'
import { mailHandler } from '../../src/mail/handler.ts'
import { Messages } from '../../src/mail/messages.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { createViews } from '../../src/views/views.ts'
import { useDatabase } from '../support/database.ts'
import { note } from '../support/notes.ts'
import { startSmtpServer } from '../support/smtp-server.ts'
import { empty, enqueue, outbox, Rig, stored, until } from './outbox-rig.ts'

const at = useDatabase()
const rig = new Rig(() => at.url)
const ISSUER = 'https://id.example.org'
const sender = new Messages({
  outbox,
  views: () => createViews({ brand: { name: 'Acme' }, issuer: ISSUER }),
  issuer: ISSUER,
  signIn: { methods: ['password'] },
  logger: createLogger('silent'),
})
const FROM = { name: 'Acme', address: 'no-reply@id.example.org' }
let database: Database

beforeEach(async () => {
  database = await rig.database()
  await empty(database)
  await database.pool.query('delete from "attempt_counter"')
})

const request = (address: string) =>
  database.em.fork().transactional((em) =>
    sender.resetPassword(em, {
      to: address,
      issued: { code: '048213', linkSecret: 'secret', expiresAt: new Date(Date.now() + 600_000) },
    }),
  )

/** Median milliseconds of asking for a mail, for so many addresses. */
async function requestAll(prefix: string, count: number): Promise<number> {
  const times: number[] = []
  for (let index = 0; index < count; index += 1) {
    const began = performance.now()
    await request(`${prefix}${index}@example.org`)
    times.push(performance.now() - began)
  }
  return times.toSorted((a, b) => a - b)[Math.floor(count / 2)] ?? 0
}

it('F13 a mail server that is down or hangs delays mail and no request; nothing is lost or doubled when it returns', async () => {
  const up = await startSmtpServer()
  const { port } = up
  await using mailer = smtpTransport(`smtp://127.0.0.1:${port}`, FROM)
  const worker = rig.worker(
    database,
    { mail: mailHandler(mailer) },
    { timeoutMs: 5000, firstPauseMs: 50, maxPauseMs: 400 },
  )
  worker.start()

  const whileUp = await requestAll('up', 30)
  await up.received(30)
  await up[Symbol.asyncDispose]()

  const whileDown = await requestAll('down', 30)
  const hanging = await startSmtpServer({ greeting: 'hang' }, port)
  const whileHanging = await requestAll('hanging', 30)
  await hanging[Symbol.asyncDispose]()
  note(
    'F13 asking for a mail',
    `${[whileUp, whileDown, whileHanging].map(Math.round).join(', ')} ms with the mail server up, down, hanging`,
  )
  expect(Math.max(whileDown, whileHanging)).toBeLessThan(1000)
  expect(await stored(database)).toHaveLength(60)

  await using back = await startSmtpServer({}, port)
  await until(async () => (await stored(database)).length === 0, 15_000)
  const recipients = back.mails.map(({ to }) => to.join())
  expect(recipients).toHaveLength(60)
  expect(new Set(recipients).size).toBe(60)
  expect(new Set(back.mails.map(({ messageId }) => messageId)).size).toBe(60)
}, 40_000)

it('F13 one refused and one greylisted address hold nobody else up', async () => {
  await using smtp = await startSmtpServer({
    rcptTo: (address) =>
      address.startsWith('refused')
        ? '550 5.1.1 no such user'
        : address.startsWith('grey')
          ? '451 4.7.1 later'
          : '250 ok',
  })
  await using mailer = smtpTransport(`smtp://127.0.0.1:${smtp.port}`, FROM)
  const worker = rig.worker(database, { mail: mailHandler(mailer) })
  for (const name of ['refused', 'grey', 'ada', 'bob', 'eve']) await request(`${name}@example.org`)
  await worker.drain()
  expect(smtp.mails.map(({ to }) => to.join()).toSorted()).toEqual([
    'ada@example.org',
    'bob@example.org',
    'eve@example.org',
  ])
  const left = await stored(database)
  expect(
    left
      .map(({ failed, last_error: error }) => `${failed ? 'failed' : 'waits'}: ${error}`)
      .toSorted(),
  ).toEqual([
    'failed: smtp EENVELOPE 550 5.1.1 at RCPT TO',
    'waits: smtp EENVELOPE 451 4.7.1 at RCPT TO',
  ])
  expect(JSON.stringify(rig.log)).not.toContain('example.org')
})

it('F25 shutdown in the middle of a hanging SMTP conversation is quick and leaves the mail for the next instance', async () => {
  await using smtp = await startSmtpServer({ end: 'hang' })
  await using mailer = smtpTransport(`smtp://127.0.0.1:${smtp.port}`, FROM)
  const worker = rig.worker(database, { mail: mailHandler(mailer) }, { graceMs: 300 })
  worker.start()
  await request('ada@example.org')
  await smtp.received(1)
  const began = performance.now()
  await worker[Symbol.asyncDispose]()
  expect(performance.now() - began).toBeLessThan(10_000)

  smtp.script.end = '250 ok'
  await rig.worker(database, { mail: mailHandler(mailer) }).drain()
  expect(await stored(database)).toEqual([])
  expect(new Set(smtp.mails.map(({ messageId }) => messageId)).size).toBe(1)
})

it('gives up what is no mail', async () => {
  await using mailer = smtpTransport('smtp://127.0.0.1:1', FROM)
  await enqueue(database, { to: 'ada@example.org' })
  await rig.worker(database, { mail: mailHandler(mailer) }).drain()
  expect(await stored(database)).toMatchObject([
    { failed: true, last_error: 'the message is not a mail' },
  ])
})
