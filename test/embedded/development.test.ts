import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, it, jest } from '@jest/globals'
import { freePort } from '../../src/embedded/free-port.ts'
import { findHome } from '../../src/embedded/home.ts'
import { findPostmaster } from '../../src/embedded/postmaster.ts'
import { Inbox } from '../support/inbox.ts'
import { dataFolder, endWithTest, serversOf } from './support.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/gatehouse.js', import.meta.url))

// Each test starts the whole product several times.
jest.setTimeout(90_000)

it('says version, URL, account area, database, demo account, sample app, inbox, discovery and what comes next, and nothing else; the password once', async () => {
  const dataDir = dataFolder()
  const first = await launch(dataDir)
  expect(await first.announced()).toEqual(
    lines(
      first.port,
      dataDir,
      expect.stringMatching(/^ {2}Demo account {2}demo@example\.com \/ \S{20} {2}\(shown once\)$/),
    ),
  )
  expect(await first.stop()).toBe(0)
  const second = await launch(dataDir)
  expect(await second.announced()).toEqual(
    lines(
      second.port,
      dataDir,
      '  Demo account  demo@example.com  (password as shown on the first start)',
    ),
  )
  expect(await second.stop()).toBe(0)
  expect(await second.stderr).toBe('')
})

it('shows the password on the first start that gets its port', async () => {
  const dataDir = dataFolder()
  const port = await freePort()
  const other = createServer().listen(port, '127.0.0.1')
  await once(other, 'listening')
  const refused = await launch(dataDir, port)
  expect(await refused.ended).toBe(1)
  expect(await refused.stderr).toBe(
    `Port ${port} is in use. Stop the other program, or set PORT to another one.\n`,
  )
  other.close()
  const started = await launch(dataDir, port)
  expect((await started.announced()).join('\n')).toContain('(shown once)')
})

it('starts three times at once on one empty folder, and one of them shows the password', async () => {
  const dataDir = dataFolder()
  const starts = await Promise.all([launch(dataDir), launch(dataDir), launch(dataDir)])
  const said = (await Promise.all(starts.map((start) => start.announced()))).flat()
  expect(said.filter((line) => line.endsWith('(shown once)'))).toHaveLength(1)
  expect(
    said.filter((line) => line.endsWith('(password as shown on the first start)')),
  ).toHaveLength(2)
})

it('goes on after kill -9 with the accounts that it had, on the one PostgreSQL that still runs', async () => {
  const dataDir = dataFolder()
  const first = await launch(dataDir)
  await first.announced()
  const grace = { email: 'grace@example.org', password: 'plum ladder seven harbour' }
  const signUp = await post(first.port, 'sign-up/email', { ...grace, name: 'Grace Hopper' })
  const mail = await new Inbox({
    origin: `http://localhost:${first.port}`,
    address: { host: '127.0.0.1', port: first.port },
  }).next(grace.email)
  const { userId, tokenId } = (await signUp.json()) as { userId: string; tokenId: string }
  const code = /\b\d{3} \d{3}\b/.exec(mail.text)?.[0]
  expect(
    (await post(first.port, 'verify/email', { code, userId, tokenId, email: grace.email })).status,
  ).toBe(200)
  first.child.kill('SIGKILL')
  await first.ended
  const home = findHome(dataDir)
  const orphan = home && findPostmaster(home)?.pid
  expect(orphan).toBeDefined()

  const second = await launch(dataDir, first.port)
  await second.announced()
  expect(home && findPostmaster(home)?.pid).toBe(orphan)
  expect((await post(second.port, 'sign-in/email', grace)).status).toBe(200)
  expect(await second.stop()).toBe(0)
  expect(serversOf(dataDir)).toEqual([])
})

it('stops in order when a signal arrives twice, from the group and from the launcher', async () => {
  const dataDir = dataFolder()
  const start = await launch(dataDir)
  await start.announced()
  start.child.kill('SIGTERM')
  await sleep(50)
  start.child.kill('SIGTERM')
  expect(await start.ended).toBe(0)
  const home = findHome(dataDir)
  expect(home && existsSync(home.cluster) && findPostmaster(home)).toBeUndefined()
})

function post(port: number, path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return fetch(`http://localhost:${port}/api/auth/${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  })
}

function lines(port: number, dataDir: string, account: unknown): unknown[] {
  const url = `http://localhost:${port}`
  return [
    expect.stringMatching(/^Gatehouse \d+\.\d+\.\d+$/),
    `  URL           ${url}`,
    `  Account       ${url}/account`,
    `  Database      embedded PostgreSQL in ${dataDir}`,
    account,
    `  Sample app    ${url}/demo`,
    `  Dev inbox     ${url}/dev/inbox`,
    `  Discovery     ${url}/.well-known/openid-configuration`,
    `  Next          PORT=${port} npm run --silent gatehouse -- client create --name "My app" --redirect http://localhost:8080/callback`,
  ]
}

async function launch(dataDir: string, given?: number) {
  const port = given ?? (await freePort())
  const env = { PATH: process.env['PATH'] ?? '', DATA_DIR: dataDir, PORT: String(port) }
  const child = endWithTest(
    spawn(process.execPath, [LAUNCHER, 'start'], {
      cwd: join(LAUNCHER, '..', '..'),
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  const stderr = text(child.stderr)
  return {
    child,
    port,
    ended,
    stderr,
    /** All lines on stdout, once the last one is there. */
    async announced(): Promise<string[]> {
      while (!stdout.includes('openid-configuration\n')) {
        if (child.exitCode !== null) throw new Error(await stderr)
        await sleep(20)
      }
      return stdout.trimEnd().split('\n')
    },
    stop(): Promise<number | null> {
      child.kill('SIGTERM')
      return ended
    },
  }
}
