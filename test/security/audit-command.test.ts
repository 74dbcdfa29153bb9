import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { freePort } from '../../src/embedded/free-port.ts'
import { CLI, run, settingsFor } from '../support/commands.ts'
import { startServer, type TestServer } from '../support/server.ts'

// Every command is a process that starts cold; on a busy machine that takes seconds.
jest.setTimeout(120_000)

describe('gatehouse audit', () => {
  let server: TestServer
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-audit-'))
    server = await startServer()
  })
  afterAll(async () => {
    await server.stop()
    await rm(folder, { recursive: true })
  })

  const gatehouse = (...args: string[]) => run(['audit', ...args], settingsFor(server, folder))

  it('LG-01 the start of a server is recorded: version, runtime, and a digest that changes with the settings', async () => {
    const details: Record<string, unknown>[] = []
    const port = await freePort()
    for (const brand of ['One', 'One', 'Two']) {
      const env = {
        ...settingsFor(server, folder),
        PORT: String(port),
        BRAND_NAME: brand,
        ISSUER: 'http://localhost:3999',
      }
      const child = spawn(process.execPath, [CLI, 'start'], {
        env,
        cwd: folder,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      for await (const line of createInterface(child.stdout)) if (line.includes('Discovery')) break
      child.kill('SIGTERM')
      await once(child, 'exit')
      const { rows } = await server.context.database.pool.query(
        `select detail from audit_event where type = 'server_started' order by seq desc limit 1`,
      )
      details.push(rows[0].detail)
    }
    expect(details[0]).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node: process.version,
    })
    expect(details[1]?.['settings']).toBe(details[0]?.['settings'])
    expect(details[2]?.['settings']).not.toBe(details[0]?.['settings'])
  })

  it('LG-04 proves the trail and prints its head, which a later run can demand', async () => {
    server.context.audit.record({ type: 'sign_in', detail: { door: 'api' } })
    await server.context.audit.flush()
    const { code, stdout, stderr } = await gatehouse('verify')
    expect([code, stderr]).toEqual([0, ''])
    const [, head = ''] =
      /^\d+ events verified, from 1 to \d+\nhead (\d+:[0-9a-f]{64})\n$/.exec(stdout) ?? []
    expect((await gatehouse('verify', '--expect', head)).code).toBe(0)
    const beyond = await gatehouse('verify', '--expect', `99999:${'0'.repeat(64)}`)
    expect(beyond).toMatchObject({ code: 1, stdout: '' })
    expect(beyond.stderr).toMatch(
      /^The audit trail is broken at row \d+: the rows from here to the noted one are missing\.\n$/,
    )
  })

  it('LG-01 LG-04 exports every event as a line of JSON with its hashes', async () => {
    const { code, stdout } = await gatehouse('export')
    expect(code).toBe(0)
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.at(-1)).toMatchObject({
      type: 'sign_in',
      outcome: 'success',
      detail: { door: 'api' },
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    for (const [index, event] of events.entries())
      if (index > 0) expect(event.previousHash).toBe(events[index - 1].hash)
    const after = await gatehouse('export', '--after', String(events.at(-2)?.seq))
    expect(after.stdout.trimEnd().split('\n')).toEqual([stdout.trimEnd().split('\n').at(-1)])
  })

  it('LG-04 names the first broken row and exits with 1', async () => {
    const { pool } = server.context.database
    await pool.query('alter table audit_event disable trigger all')
    await pool.query(
      `update audit_event set outcome = 'failure' where seq = (select max(seq) from audit_event)`,
    )
    const { rows } = await pool.query('select max(seq) as seq from audit_event')
    const { code, stdout, stderr } = await gatehouse('verify')
    expect([code, stdout, stderr]).toEqual([
      1,
      '',
      `The audit trail is broken at row ${rows[0].seq}: its content was changed.\n`,
    ])
  })
})
