import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { freePort } from '../src/embedded/free-port.ts'
import { COMPILE_CACHE } from './support/compile-cache.ts'
import { useDatabase } from './support/database.ts'
import { eventually } from './support/eventually.ts'
import { TEST_SECRETS } from './support/secrets.ts'

// Each test starts the whole product, and fills its log.
jest.setTimeout(180_000)

const at = useDatabase()
const children = new Set<ChildProcess>()
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
})

/** More lines than wait for a reader: each has 150 bytes and more. */
const MANY = 9000

async function start(stdout: number | 'pipe') {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-log-'))
  const env = {
    PATH: process.env['PATH'] ?? '',
    ...COMPILE_CACHE,
    DATABASE_URL: at.url,
    DATA_DIR: folder,
    PORT: String(port),
    LOG_LEVEL: 'info',
    COOKIE_KEYS: TEST_SECRETS.cookieKeys.join(),
    KEY_ENCRYPTION_KEYS: TEST_SECRETS.keyEncryptionKeys.join(),
  }
  const child = spawn(process.execPath, [join(import.meta.dirname, '../src/cli.ts'), 'start'], {
    env,
    stdio: ['ignore', stdout, 'inherit'],
  })
  children.add(child)
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const ask = (path = '/health/live') =>
    new Promise<number | undefined>((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port, path, agent, headers: { host: `localhost:${port}` } },
        (answer) => {
          answer.resume().once('end', () => resolve(answer.statusCode))
        },
      )
      sent.on('error', reject).end()
    })
  await eventually(
    () => (child.exitCode === null ? ask('/health/ready').catch(() => 0) : 200),
    200,
    60_000,
  )
  async function askMany(): Promise<void> {
    const answers = new Set<unknown>()
    for (let asked = 0; asked < MANY; asked += 4)
      for (const status of await Promise.all(Array.from({ length: 4 }, () => ask())))
        answers.add(status)
    expect([...answers]).toEqual([200])
  }
  async function stop(): Promise<number | null> {
    agent.destroy()
    child.kill('SIGTERM')
    return ended.finally(() => rmSync(folder, { recursive: true, force: true }))
  }
  return { child, ask, askMany, stop }
}

describe('F15 a log that takes nothing', () => {
  it('F15 on a full disk, from the start on: the server answers, and stops in order', async () => {
    const full = openSync('/dev/full', 'w')
    try {
      const server = await start(full)
      await server.askMany()
      expect(await server.ask('/health/ready')).toBe(200)
      expect(await server.ask('/there-is-nothing')).toBe(404)
      expect(await server.stop()).toBe(0)
    } finally {
      closeSync(full)
    }
  })

  it('F15 a reader that hangs: the server answers, liveness included; what was dropped is counted and told when it reads again', async () => {
    const { child, ask, askMany, stop } = await start('pipe')
    // Nobody listens to `data`: the pipe fills up.
    await askMany()
    expect(await ask('/health/ready')).toBe(200)
    let read = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (read += chunk))
    await eventually(() => read.includes('log.dropped'), true, 30_000)
    const lines = read
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { event?: string; lines?: number; msg: string })
    const [dropped] = lines.filter(({ event }) => event === 'log.dropped')
    expect(dropped).toMatchObject({
      level: 40,
      reason: 'EAGAIN',
      msg: 'lines of the log were dropped',
    })
    const requests = lines.filter(({ msg }) => msg === 'request').length
    expect(requests + (dropped?.lines ?? 0)).toBeGreaterThanOrEqual(MANY)
    await ask('/health/live?again')
    await eventually(() => read.trimEnd().split('\n').at(-1)?.includes('"msg":"request"'), true)
    expect(await stop()).toBe(0)
  })

  it('F15 a reader that is gone: the server goes on', async () => {
    const { child, ask, stop } = await start('pipe')
    child.stdout?.destroy()
    for (let asked = 0; asked < 50; asked += 1) expect(await ask()).toBe(200)
    expect(await stop()).toBe(0)
  })

  it('LG-01 a file gets every line, to the last', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-log-'))
    const file = openSync(join(folder, 'log'), 'w')
    const { ask, stop } = await start(file)
    for (let asked = 0; asked < 200; asked += 1) await ask()
    expect(await stop()).toBe(0)
    closeSync(file)
    expect(
      readFileSync(join(folder, 'log'), 'utf8').match(/"path":"\/health\/live"/g),
    ).toHaveLength(200)
    rmSync(folder, { recursive: true })
  })
})
