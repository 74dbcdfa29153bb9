import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { api } from '../support/api.ts'
import { eventually } from '../support/eventually.ts'
import { operator } from '../support/operator.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type SmtpServer, startSmtpServer } from '../support/smtp-server.ts'

interface Failed {
  readonly id: string
  readonly attempts: number
  readonly created_at: string
  readonly failed_at: string
  readonly reason: string
}

describe('gatehouse mail', () => {
  let server: TestServer
  let smtp: SmtpServer
  const shell = operator()
  beforeAll(async () => {
    smtp = await startSmtpServer()
    server = await startServer({
      config: { mail: { smtpUrl: `smtp://127.0.0.1:${smtp.port}`, from: 'no-reply@example.org' } },
    })
  })
  afterAll(async () => {
    await server.stop()
    await smtp[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    await server.context.database.pool.query('delete from "outbox_message"')
    smtp.mails.length = 0
    smtp.script.rcptTo = '250 ok'
  })

  const mail = (...args: string[]) => shell.run(server, ['mail', ...args])

  const failed = async () => JSON.parse((await mail('list', '--json')).stdout) as Failed[]

  /** Two mails that the mail server has refused for good. */
  async function refuseTwo(): Promise<void> {
    smtp.script.rcptTo = '550 5.1.1 no such user'
    for (const email of ['ada@example.org', 'bob@example.org'])
      await api(server, 'POST /sign-up/email', {
        name: 'Ada',
        email,
        password: 'plum ladder seven harbour',
      })
    const { pool } = server.context.database
    await eventually(
      async () =>
        (await pool.query('select 1 from "outbox_message" where "failed_at" is not null')).rowCount,
      2,
    )
    smtp.script.rcptTo = '250 ok'
  }

  it('lists what was given up, without addresses or content, and sends it again', async () => {
    await refuseTwo()
    const listed = await mail('list')
    expect(listed.stderr).toBe('')
    expect(listed.stdout).not.toMatch(/ada|bob|example\.org/)
    const mails = await failed()
    expect(mails).toHaveLength(2)
    expect(listed.stdout.trim().split('\n')).toEqual(
      mails.map((each) => Object.values(each).join('\t')),
    )
    expect(mails[0]).toMatchObject({ attempts: 1, reason: 'smtp EENVELOPE 550 5.1.1 at RCPT TO' })

    const first = mails[0]?.id ?? ''
    expect(await mail('retry', first)).toEqual({
      code: 0,
      stdout: `${first}\twaiting\n`,
      stderr: '',
    })
    await eventually(() => smtp.mails.length, 1)
    expect((await failed()).map(({ id }) => id)).toEqual([mails[1]?.id])

    expect((await mail('retry', '--all')).code).toBe(0)
    await eventually(() => smtp.mails.length, 2)
    expect(await failed()).toEqual([])
  })

  it('says what it cannot do: nothing named, not an id, not given up', async () => {
    expect(await mail('retry')).toMatchObject({
      code: 1,
      stderr: 'Name the mails to send again, or say --all.\n',
    })
    expect(await mail('retry', 'first')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('An id looks as `mail list` prints it.'),
    })
    const id = randomUUID()
    expect(await mail('retry', id)).toMatchObject({
      code: 1,
      stderr: `No mail of this id was given up: ${id}\n`,
    })
  })
})
