import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { AppError } from '../src/errors.ts'
import { FaultLog } from '../src/fault-log.ts'
import { createLogger } from '../src/logger/logger.ts'
import { RedisUnavailable } from '../src/redis/redis.ts'
import { createDatabase, type TestDatabase } from './support/database.ts'
import { eventually } from './support/eventually.ts'
import { asAdmin } from './support/postgres.ts'
import { startServer, type TestServer } from './support/server.ts'

interface Line {
  readonly level: number
  readonly event?: string
  readonly outage?: string
  readonly refused?: number
  readonly msg: string
  readonly err?: { readonly fault?: string; readonly stack?: string }
}

function keptLog() {
  const lines: Line[] = []
  return {
    lines,
    logger: createLogger('info', {
      write: (line: string) => void lines.push(JSON.parse(line) as Line),
    }),
  }
}

describe('requests that fail', () => {
  it('LG-05 an outage is one line when it begins and one with the number when it is over, apart for each kind', async () => {
    const { lines, logger } = keptLog()
    const faults = new FaultLog({ logger, calmMs: 150 })
    for (let request = 0; request < 40; request += 1) {
      faults.report(Object.assign(new Error('the database says no'), { code: '57P01' }), 'r')
      faults.report(new AppError('unavailable', { cause: new RedisUnavailable('gone') }), 'r')
      faults.report(new AppError('unavailable', { retryAfterSeconds: 2 }), 'r')
    }
    expect(lines.map(({ event, outage, level }) => [event, outage, level])).toEqual([
      ['requests.unavailable', 'database', 50],
      ['requests.unavailable', 'redis', 40],
      ['requests.unavailable', 'load', 40],
    ])
    await eventually(() => lines.length, 6)
    expect(lines.slice(3).map(({ event, refused }) => [event, refused])).toEqual(
      Array.from({ length: 3 }, () => ['requests.available', 40]),
    )
    await sleep(200)
    expect(lines).toHaveLength(6)
    faults.report(new AppError('unavailable'), 'r')
    expect(lines).toHaveLength(7)
  })

  it('LG-05 a fault of ours is told in full each time', () => {
    const { lines, logger } = keptLog()
    const faults = new FaultLog({ logger })
    for (let request = 0; request < 3; request += 1) faults.report(new TypeError('a fault'), 'r')
    expect(lines).toHaveLength(3)
    for (const { msg, err } of lines)
      expect([msg, err?.stack]).toEqual([
        'request failed',
        expect.stringContaining('fault-log.test'),
      ])
  })

  it('LG-02 the code of a fault is told, the code of a person is not', () => {
    const { lines, logger } = keptLog()
    logger.error({ err: Object.assign(new Error('one'), { code: '55P03' }) })
    logger.error({ err: Object.assign(new Error('two'), { code: 'ECONNREFUSED' }) })
    logger.error({ err: Object.assign(new Error('three'), { code: '123456' }) })
    logger.error({ code: '57P01', detail: { code: '57P01' } })
    expect(lines.map(({ err }) => err?.fault)).toEqual([
      '55P03',
      'ECONNREFUSED',
      undefined,
      undefined,
    ])
    expect(JSON.stringify(lines)).not.toContain('123456')
    expect(JSON.stringify(lines[3])).not.toContain('57P01')
  })
})

describe('a database that is away, with people at all doors', () => {
  const { lines, logger } = keptLog()
  let database: TestDatabase
  let server: TestServer
  beforeAll(async () => {
    database = await createDatabase()
    server = await startServer({ database, logger })
  })
  afterAll(async () => {
    await server.stop()
    await database.drop()
  })

  it('F09 LG-05 is one line with its SQLSTATE, not a stack for each request', async () => {
    const url = new URL(database.url)
    const name = url.pathname.slice(1)
    url.pathname = '/postgres'
    const allow = (allowed: boolean) =>
      asAdmin(url.href, async (admin) => {
        await admin.query(`alter database ${name} with allow_connections ${allowed}`)
        if (!allowed)
          await admin.query(
            'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1',
            [name],
          )
      })
    const ask = async (path: string): Promise<number> => {
      const isApi = path.startsWith('/api')
      const { status } = await fetch(server.origin + path, {
        method: isApi || path === '/token' ? 'POST' : 'GET',
        headers: { authorization: isApi ? 'Bearer x' : `Basic ${btoa('nobody:secret')}` },
        ...(path === '/token'
          ? { body: new URLSearchParams({ grant_type: 'client_credentials' }) }
          : {}),
      })
      return status
    }
    await allow(false)
    try {
      await eventually(() => ask('/token'), 503)
      for (let round = 0; round < 5; round += 1)
        for (const path of ['/api/auth/user/me', '/token', '/auth?client_id=x', '/forgot-password'])
          await ask(path)
    } finally {
      await allow(true)
    }
    const began = lines.filter(({ event }) => event === 'requests.unavailable')
    expect(began).toHaveLength(1)
    expect(began[0]).toMatchObject({
      level: 50,
      outage: 'database',
      err: { fault: expect.stringMatching(/^[0-9A-Z]{5}$/) },
    })
    expect(lines.filter(({ msg }) => msg === 'request failed')).toEqual([])
  })
})
