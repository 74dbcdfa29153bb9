import { spawn } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { createApp } from '../../src/app.ts'
import { readEnv } from '../../src/config/env.ts'
import { COMPILE_CACHE } from '../support/compile-cache.ts'
import { useDatabase } from '../support/database.ts'
import { send } from '../support/http.ts'
import { startServer, TEST_SECRETS, type TestServer } from '../support/server.ts'

// A start of the whole product, on a busy machine.
jest.setTimeout(120_000)

const REQUIRED = ['DATABASE_URL', 'COOKIE_KEYS', 'KEY_ENCRYPTION_KEYS', 'SMTP_URL']
const PUBLIC = { ISSUER: 'https://id.example.org', HOST: '0.0.0.0' }

function said(settings: Readonly<Record<string, string>>): string {
  try {
    readEnv(settings)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

describe('whether a start is a development start', () => {
  it.each([
    {},
    { HOST: '0.0.0.0' },
    { ISSUER: 'http://localhost:3000' },
    { ISSUER: 'http://[::1]:3000' },
    { ISSUER: 'http://id.localhost:3000' },
    { ISSUER: 'https://a.b.localhost' },
    { ISSUER: 'https://id.test', DEV_INBOX: '1' },
    { ...PUBLIC, DEV_INBOX: '1' },
  ])('CF-01 it is with %j: nothing else is needed', (settings) => {
    expect(said(settings)).toBe('')
  })

  it.each([
    PUBLIC,
    { ...PUBLIC, NODE_ENV: 'development' },
    { ...PUBLIC, NODE_ENV: 'test' },
    { ...PUBLIC, DEV_INBOX: '0' },
    { ISSUER: 'https://id.test' },
    { ISSUER: 'https://localhost.example.org' },
    { ISSUER: 'https://notlocalhost' },
    { ISSUER: 'https://10.0.0.1' },
  ])('CF-01 it is not with %j: what is missing is named, as in production', (settings) => {
    for (const name of REQUIRED)
      expect(said(settings)).toMatch(new RegExp(`^ {2}${name}: required `, 'm'))
    expect(said(settings)).toContain('DEV_INBOX=1')
  })

  it.each([
    [{ ISSUER: 'http://id.test', DEV_INBOX: '1' }, /^ {2}ISSUER: must be https/m],
    [{ NODE_ENV: 'production', DEV_INBOX: '1' }, /^ {2}DEV_INBOX: refused in production/m],
    [{ DEV_INBOX: '1', SMTP_URL: 'smtp://127.0.0.1' }, /^ {2}DEV_INBOX: /m],
    [{ DEV_INBOX: 'yes' }, /^ {2}DEV_INBOX: /m],
  ] as const)('CF-01 %j is refused', (settings, sentence) => {
    expect(said(settings)).toMatch(sentence)
  })
})

describe('a public issuer without NODE_ENV, as it is started by mistake', () => {
  const at = useDatabase()
  const start = (settings: Readonly<Record<string, string>>) => {
    const command = [join(import.meta.dirname, '../../src/cli.ts'), 'start']
    const env = {
      PATH: process.env['PATH'] ?? '',
      ...COMPILE_CACHE,
      ...PUBLIC,
      PORT: '0',
      ...settings,
    }
    const child = spawn(process.execPath, command, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    return {
      child,
      exited: new Promise((resolve) => child.once('exit', resolve)),
      stderr: text(child.stderr),
    }
  }

  it('CF-01 does not start', async () => {
    const { exited, stderr } = start({})
    expect(await exited).toBe(1)
    for (const name of REQUIRED) expect(await stderr).toContain(`${name}: required`)
  })

  it('CF-01 PW-14 starts with all it needs as in production: no inbox, no demo app, no demo account', async () => {
    const { child, exited } = start({
      HOST: '127.0.0.1',
      DATABASE_URL: at.url,
      COOKIE_KEYS: TEST_SECRETS.cookieKeys.join(),
      KEY_ENCRYPTION_KEYS: TEST_SECRETS.keyEncryptionKeys.join(),
      SMTP_URL: 'smtp://127.0.0.1:9',
    })
    let banner = ''
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      banner += chunk
      if (banner.includes('Discovery')) break
    }
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
    expect(banner).toContain('https://id.example.org')
    expect(banner).not.toMatch(/demo|inbox/i)
    await using server = await startServer({ database: at })
    const { rows } = await server.context.database.pool.query<{ n: number }>(
      'select (select count(*) from account)::int + (select count(*) from client)::int as n',
    )
    expect(rows[0]?.n).toBe(0)
  })
})

describe('inbox and demo of a development server', () => {
  const PATHS = ['/dev/inbox', '/demo', '/demo/api/hello', '/demo/demo.js']
  let server: TestServer
  let elsewhere: Server
  /** What the socket says of the other side. */
  let peer = '127.0.0.1'
  let isOpen = false

  beforeAll(async () => {
    server = await startServer()
    const apps = [false, true].map((devInbox) =>
      createApp({ ...server.context, config: { ...server.config, devInbox } }).callback(),
    )
    elsewhere = createServer((request, response) => {
      Object.defineProperty(request.socket, 'remoteAddress', { value: peer, configurable: true })
      void apps[isOpen ? 1 : 0]?.(request, response)
    })
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    elsewhere.close()
    await server.stop()
  })

  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    send(`${server.origin}${path}`, {
      method,
      headers,
      connect: { host: '127.0.0.1', port: (elsewhere.address() as AddressInfo).port },
    }).then(({ status }) => status)

  it.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])(
    'CF-01 are there for %s',
    async (address) => {
      peer = address
      for (const path of PATHS)
        expect([path, await ask(path)]).toEqual([path, path === '/demo/api/hello' ? 401 : 200])
    },
  )

  it.each([
    '172.17.0.1',
    '192.0.2.9',
    '::ffff:192.0.2.9',
    '2001:db8::1',
    'fe80::1%eth0',
    '',
    'nonsense',
  ])('CF-01 are not there for %j, whatever it says of itself', async (address) => {
    peer = address
    for (const path of PATHS)
      for (const claim of [{}, { 'x-forwarded-for': '127.0.0.1' }, { 'x-real-ip': '127.0.0.1' }])
        expect([path, claim, await ask(path, claim)]).toEqual([path, claim, 404])
    expect(await ask('/dev/inbox', { origin: server.origin }, 'DELETE')).toBe(404)
    isOpen = true
    expect(await ask('/dev/inbox').finally(() => (isOpen = false))).toBe(200)
  })

  it.each([
    'X-Forwarded-For',
    'x-forwarded-host',
    'X-Forwarded-Proto',
    'Forwarded',
    'Via',
    'X-Real-IP',
    'CF-Connecting-IP',
    'True-Client-IP',
  ])('CF-01 are not there through a proxy on this machine, which says %s', async (name) => {
    peer = '127.0.0.1'
    for (const path of PATHS)
      for (const value of ['127.0.0.1', ''])
        expect([path, await ask(path, { [name]: value })]).toEqual([path, 404])
  })

  it('CF-01 WB-10 are not there under another host', async () => {
    peer = '127.0.0.1'
    for (const host of ['evil.example', '127.0.0.1', 'id.example.org', 'localhost'])
      expect([host, await ask('/dev/inbox', { host })]).toEqual([host, 421])
  })

  it('CF-01 SE-11 the inbox is emptied by its own origin only', async () => {
    peer = '127.0.0.1'
    for (const origin of [
      undefined,
      'null',
      'https://evil.example',
      `${server.origin}.evil.example`,
      'http://localhost',
    ])
      expect([
        origin,
        await ask('/dev/inbox', origin === undefined ? {} : { origin }, 'DELETE'),
      ]).toEqual([origin, 403])
    expect(await ask('/dev/inbox', { origin: server.origin }, 'DELETE')).toBe(204)
  })
})
