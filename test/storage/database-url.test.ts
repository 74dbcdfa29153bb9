import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { openDatabase } from '../../src/database/database.ts'
import { freePort } from '../../src/embedded/free-port.ts'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { createEmptyDatabase } from '../support/database.ts'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from '../support/loopback-certificate.ts'
import { note } from '../support/notes.ts'
import { asAdmin } from '../support/postgres.ts'

jest.setTimeout(120_000)

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-url-'))
chmodSync(folder, 0o755)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const refusal = (url: string) =>
  openDatabase({ url, pool: 2 }).then(
    () => 'it was opened',
    (error: Error) => `${error.name}: ${error.message}`,
  )

describe('TLS to PostgreSQL', () => {
  let server: Awaited<ReturnType<typeof startEmbeddedPostgres>>
  let authority: string
  beforeAll(async () => {
    server = await startEmbeddedPostgres({ dataDir: join(folder, 'tls') })
    const data = await asAdmin(
      server.url,
      async (client) =>
        (await client.query<{ d: string }>('select current_setting($1) as d', ['data_directory']))
          .rows[0]?.d ?? '',
    )
    const owner = statSync(data)
    for (const [name, text] of [
      ['server.crt', LOOPBACK_CERTIFICATE],
      ['server.key', LOOPBACK_KEY],
    ] as const) {
      writeFileSync(join(data, name), text, { mode: 0o600 })
      chownSync(join(data, name), owner.uid, owner.gid)
    }
    await asAdmin(server.url, async (client) => {
      await client.query('alter system set ssl = on')
      await client.query('select pg_reload_conf()')
    })
    authority = join(folder, 'ca.pem')
    writeFileSync(authority, LOOPBACK_CERTIFICATE)
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  const with_ = (query: string, host?: string) => {
    const url = new URL(server.url)
    if (host) url.host = host
    return `${url.href}?${query}`
  }

  it.each(['verify-full', 'require', 'verify-ca'])(
    'sslmode=%s encrypts every connection: pool, listener and migrations',
    async (mode) => {
      await using database = await openDatabase({
        url: with_(`sslmode=${mode}&sslrootcert=${authority}`),
        pool: 3,
      })
      await database.migrate()
      const { rows } = await database.pool.query<{ ssl: boolean }>(
        `select "ssl" from pg_stat_ssl join pg_stat_activity using ("pid") where "application_name" = 'gatehouse' and "datname" = current_database()`,
      )
      expect(rows.length).toBeGreaterThan(0)
      expect(rows.every(({ ssl }) => ssl)).toBe(true)
      expect(database.direct.ssl).toMatchObject({ ca: LOOPBACK_CERTIFICATE })
    },
  )

  it('is not used where it is not asked for', async () => {
    await using database = await openDatabase({ url: with_('sslmode=disable'), pool: 2 })
    expect(
      (await database.pool.query('select "ssl" from pg_stat_ssl where "pid" = pg_backend_pid()'))
        .rows,
    ).toEqual([{ ssl: false }])
  })

  it.each(['verify-full', 'require'])(
    'sslmode=%s refuses an authority that is not known',
    async (mode) => {
      expect(await refusal(with_(`sslmode=${mode}`))).toMatch(
        /StartupError: .*its certificate is signed by nobody known\. Name its authority with sslrootcert=/,
      )
    },
  )

  it('a certificate for another host is refused by require and verify-full; verify-ca checks the authority only', async () => {
    const { port } = new URL(server.url)
    const proxy = createServer(
      (socket) =>
        void socket
          .pipe(connect(Number(port), '127.0.0.1').on('error', () => socket.destroy()))
          .pipe(socket)
          .on('error', () => undefined),
    )
    proxy.listen(0, '127.0.0.2')
    await once(proxy, 'listening')
    const host = `127.0.0.2:${(proxy.address() as { port: number }).port}`
    for (const mode of ['require', 'verify-full'])
      expect(await refusal(with_(`sslmode=${mode}&sslrootcert=${authority}`, host))).toContain(
        'its certificate is for another host',
      )
    await using database = await openDatabase({
      url: with_(`sslmode=verify-ca&sslrootcert=${authority}`, host),
      pool: 2,
    })
    expect(
      (await database.pool.query('select "ssl" from pg_stat_ssl where "pid" = pg_backend_pid()'))
        .rows,
    ).toEqual([{ ssl: true }])
    proxy.close()
  })

  it('is refused in words by a server that has none', async () => {
    const plain = await createEmptyDatabase()
    expect(await refusal(`${plain.url}?sslmode=verify-full`)).toContain(
      'it has no TLS. Turn TLS on there, or write sslmode=disable.',
    )
    await plain.drop()
  })
})

describe('what the database is', () => {
  async function refusalAfter(options: string, ...statements: string[]): Promise<string> {
    const made = await createEmptyDatabase()
    const url = new URL(made.url)
    const name = url.pathname.slice(1)
    const admin = new URL(made.url)
    admin.pathname = '/postgres'
    if (options) {
      await asAdmin(admin.href, (client) => client.query(`drop database ${name}`))
      await asAdmin(admin.href, (client) => client.query(`create database ${name} ${options}`))
    }
    await asAdmin(made.url, async (client) => {
      for (const statement of statements) await client.query(statement.replaceAll('NAME', name))
    })
    const said = await refusal(made.url)
    await made.drop()
    return said
  }

  it.each([
    [
      'another encoding',
      `encoding 'LATIN1' locale 'C' template template0`,
      [],
      /has the encoding LATIN1.*Create it with "encoding 'UTF8' template template0"/,
    ],
    [
      'read-only',
      '',
      ['alter database NAME set default_transaction_read_only = on'],
      /is read-only.*Point DATABASE_URL at the primary/,
    ],
    [
      'tables of others',
      '',
      ['create table orders (id int)'],
      /has 1 tables of something else\. Give Gatehouse a database of its own/,
    ],
    [
      'migrations of another program',
      '',
      [
        'create table mikro_orm_migrations (id serial primary key, name varchar(255), executed_at timestamptz)',
        `insert into mikro_orm_migrations (name) values ('Migration20200101000000')`,
      ],
      /has the migrations of another program \(table mikro_orm_migrations\)\. Give Gatehouse a database of its own/,
    ],
    [
      'no schema',
      '',
      ['drop schema public'],
      /has no schema that .* may use\. Run there: grant usage, create on schema public/,
    ],
  ])('F28 %s: one sentence that says what to do', async (_, options, statements, said) => {
    expect(await refusalAfter(options, ...statements)).toMatch(said)
  })

  it('reads and writes times whatever DateStyle is set for the database', async () => {
    const made = await createEmptyDatabase()
    const name = new URL(made.url).pathname.slice(1)
    await asAdmin(made.url, (client) =>
      client.query(`alter database ${name} set datestyle = 'SQL, DMY'`),
    )
    await using database = await openDatabase({ url: made.url, pool: 2 })
    expect(
      (await database.pool.query(`select current_setting('datestyle') as style`)).rows[0]?.style,
    ).toMatch(/^ISO/)
    await database[Symbol.asyncDispose]()
    await made.drop()
  })
})

const PGBOUNCER = '/usr/sbin/pgbouncer'
const hasPgBouncer = existsSync(PGBOUNCER)
note(
  'pgbouncer',
  hasPgBouncer
    ? (spawnSync(PGBOUNCER, ['--version']).stdout.toString().split('\n')[0] ?? '')
    : 'none on this machine: its tests ran on nothing',
)

describe('a pooler in between', () => {
  /** Debian's PgBouncer before an empty database; without one, the database itself. */
  async function pooled(
    mode: 'session' | 'transaction',
    work: (url: string, direct: string) => Promise<void>,
  ): Promise<void> {
    const made = await createEmptyDatabase()
    const target = new URL(made.url)
    const port = await freePort()
    const config = join(folder, `pgbouncer-${mode}.ini`)
    writeFileSync(
      config,
      `[databases]\n* = host=${target.hostname} port=${target.port} user=${target.username} password=${decodeURIComponent(target.password)}\n` +
        `[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port=${port}\nunix_socket_dir=\nauth_type=any\npool_mode=${mode}\nmax_client_conn=50\ndefault_pool_size=20\n`,
    )
    const child: ChildProcess = spawn(PGBOUNCER, [config], {
      stdio: 'ignore',
      ...(process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}),
    })
    try {
      for (let tries = 0; tries < 100 && !(await answers(port)); tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 50))
      const url = new URL(made.url)
      url.host = `127.0.0.1:${port}`
      await work(url.href, made.url)
    } finally {
      child.kill('SIGKILL')
      await made.drop()
    }
  }

  const answers = (port: number) =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () =>
        resolve(false),
      )
      socket.on('connect', () => socket.destroy())
    })

  if (hasPgBouncer) {
    it('PgBouncer by session: everything works', () =>
      pooled('session', async (url) => {
        await using database = await openDatabase({ url, pool: 3 })
        await database.migrate()
        expect(
          (
            await database.pool.query(
              `select current_setting('statement_timeout') as t, current_setting('lock_timeout') as l`,
            )
          ).rows,
        ).toEqual([{ t: '5s', l: '2s' }])
        const named = { name: 'twice', text: 'select 1 as one' }
        for (let index = 0; index < 3; index += 1)
          expect((await database.pool.query(named)).rows).toEqual([{ one: 1 }])
      }))

    it('PgBouncer by transaction, too old for prepared statements: refused with what to write', () =>
      pooled('transaction', async (url) => {
        const said = await refusal(url)
        expect(said).toMatch(
          /hands out connections by transaction\. Write pool_mode = session into its configuration, or:/,
        )
        expect(said).toMatch(/It loses prepared statements: it must be PgBouncer 1\.21 or newer/)
        expect(said).toMatch(/alter role .* set statement_timeout = '5s';/)
        expect(said).toMatch(/set DATABASE_DIRECT_URL to its address/)
      }))

    it('locks, notifications and migrations go to DATABASE_DIRECT_URL', () =>
      pooled('session', async (url, directUrl) => {
        await using database = await openDatabase({ url, directUrl, pool: 3 })
        await database.migrate()
        expect(database.direct.port).toBe(Number(new URL(directUrl).port))
        expect(
          (await database.pool.query(`select to_regclass('account') is not null as made`)).rows,
        ).toEqual([{ made: true }])
      }))
  } else {
    it('has nothing to run on here', () => expect(hasPgBouncer).toBe(false))
  }
})
