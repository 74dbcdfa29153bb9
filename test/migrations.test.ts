import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Migration } from '@mikro-orm/migrations'
import { Client } from 'pg'
import { ADVISORY_LOCKS } from '../src/config/advisory-locks.ts'
import { type Database, openDatabase } from '../src/database/database.ts'
import { createEmptyDatabase, type TestDatabase } from './support/database.ts'
import { eventually } from './support/eventually.ts'
import { asAdmin } from './support/postgres.ts'

/** Longer than any other statement may take, and than a connection may be silent. */
const LONG_S = 6.5

const HERE = dirname(fileURLToPath(import.meta.url))
const MIGRATIONS = join(HERE, '..', 'migrations')
/** Each landed migration with the SHA-256 of its file; a new one is added with the commit that adds it. */
const LANDED = JSON.parse(readFileSync(join(HERE, 'landed-migrations.json'), 'utf8')) as unknown

describe('migrations', () => {
  let scratch: TestDatabase
  let database: Database

  beforeAll(async () => {
    scratch = await createEmptyDatabase()
    database = await openDatabase({ url: scratch.url, pool: 4 })
    await database.migrate()
  })
  afterAll(async () => {
    await database[Symbol.asyncDispose]()
    await scratch.drop()
  })

  it('bring an empty database to exactly what the entities say', async () => {
    expect(await database.orm.schema.getUpdateSchemaSQL({ wrap: false })).toBe('')
  })

  it('are never edited or taken away once they have landed: a new one mends an old one', () => {
    const files = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.ts'))
    const digest = (name: string) =>
      createHash('sha256')
        .update(readFileSync(join(MIGRATIONS, name)))
        .digest('hex')
    expect(Object.fromEntries(files.map((name) => [name, digest(name)]))).toEqual(LANDED)
  })

  it('notice a difference between table and entity', async () => {
    await database.pool.query('alter table account drop column name')
    expect(await database.orm.schema.getUpdateSchemaSQL({ wrap: false })).toMatch(
      /account.*add.*name/,
    )
  })

  it('TK-03 lower the leeway of clients that do not authenticate to ten seconds, and no other', async () => {
    const insert = (id: string, method: string, seconds: number) =>
      database.pool.query(
        `insert into "client" ("id", "name", "metadata", "refresh_leeway_seconds", "created_at", "updated_at")
         values ($1, 'x', jsonb_build_object('token_endpoint_auth_method', $2::text), $3, now(), now())`,
        [id, method, seconds],
      )
    await insert('public', 'none', 60)
    await insert('strict', 'none', 3)
    await insert('web', 'client_secret_basic', 60)
    await database.pool.query(
      `delete from "mikro_orm_migrations" where "name" like '%public_leeway%'`,
    )
    await database.migrate()
    const { rows } = await database.pool.query(
      'select "id", "refresh_leeway_seconds" as "seconds" from "client" order by "id"',
    )
    expect(rows).toEqual([
      { id: 'public', seconds: 10 },
      { id: 'strict', seconds: 3 },
      { id: 'web', seconds: 60 },
    ])
  })

  it('are applied once when two instances start together', async () => {
    const empty = await createEmptyDatabase()
    const instances = await Promise.all([1, 2].map(() => openDatabase({ url: empty.url, pool: 2 })))
    await Promise.all(instances.map((instance) => instance.migrate()))
    const applied = await instances[0]?.orm.migrator.getExecuted()
    expect(new Set(applied?.map((row) => row.name)).size).toBe(applied?.length)
    for (const instance of instances) await instance[Symbol.asyncDispose]()
    await empty.drop()
  })

  it('F28 wait for the lock of another, by name and once, and go on when it is free', async () => {
    const empty = await createEmptyDatabase()
    const told: string[] = []
    const instance = await openDatabase({
      url: empty.url,
      pool: 2,
      patience: { ms: 0, tell: (what, why) => void told.push(`${what}: ${why}`) },
    })
    const migrated = asAdmin(empty.url, async (holder) => {
      await holder.query(`select pg_advisory_lock(${ADVISORY_LOCKS.migration})`)
      const work = instance.migrate()
      while (told.length === 0) await sleep(50)
      await sleep(1200)
      const { rows } = await holder.query(`select to_regclass('account') as made`)
      expect(rows).toEqual([{ made: null }])
      return [work]
    })
    await (await migrated)[0]
    expect(told).toEqual([
      expect.stringMatching(/^the lock of migrations: another instance has it/),
    ])
    expect(
      (await instance.pool.query(`select to_regclass('account') is not null as made`)).rows,
    ).toEqual([{ made: true }])
    await instance[Symbol.asyncDispose]()
    await empty.drop()
  })

  it('TF-06 count how strong a sign-in of each account is', async () => {
    const empty = await createEmptyDatabase()
    const instance = await openDatabase({ url: empty.url, pool: 2 })
    await instance.orm.migrator.up({ to: 'Migration20261130053000_spent_by' })
    for (const [name, hash, isOn] of [
      ['nothing', null, false],
      ['password', 'x', false],
      ['both', 'x', true],
      ['code alone', null, true],
    ])
      await instance.pool.query(
        `insert into account (id, name, email, password_hash, mfa_enabled, created_at, updated_at)
         values (gen_random_uuid(), $1, $1, $2, $3, now(), now())`,
        [name, hash, isOn],
      )
    await instance.migrate()
    const { rows } = await instance.pool.query('select name, strongest from account order by name')
    expect(rows).toEqual([
      { name: 'both', strongest: 2 },
      { name: 'code alone', strongest: 2 },
      { name: 'nothing', strongest: 0 },
      { name: 'password', strongest: 1 },
    ])
    await instance[Symbol.asyncDispose]()
    await empty.drop()
  })

  it('give accounts that are there a user name each, and no name twice', async () => {
    const empty = await createEmptyDatabase()
    const instance = await openDatabase({ url: empty.url, pool: 2 })
    const { pool } = instance
    await instance.orm.migrator.up({ to: 'Migration20261130093000_client_secrets' })
    const insert = (name: string, count: number) =>
      pool.query(
        `insert into account (id, name, email, created_at, updated_at)
         select gen_random_uuid(), $1::text, $1::text || place, now(), now() from generate_series(1, $2) as place`,
        [name, count],
      )
    await insert('Ada Lovelace', 300)
    await insert('Admin', 1)
    await instance.migrate()
    await insert('Grace Hopper', 1)
    const { rows } = await pool.query<{ slug: string; names: number; digests: number }>(
      `select left(username, -5) as slug, count(distinct username)::int as names,
         (select count(*)::int from given_username where digest = any(array_agg(username_digest(username)))) as digests
       from account group by slug order by slug`,
    )
    expect(rows).toEqual([
      { slug: 'ada-lovelace', names: 300, digests: 300 },
      { slug: 'grace-hopper', names: 1, digests: 1 },
      { slug: 'user', names: 1, digests: 1 },
    ])
    await instance[Symbol.asyncDispose]()
    await empty.drop()
  })

  it('CL-01 leave the account API to the apps that use it, and to no other', async () => {
    const empty = await createEmptyDatabase()
    const instance = await openDatabase({ url: empty.url, pool: 2 })
    await instance.orm.migrator.up({ to: 'Migration20261130043000_second_proved_at' })
    const { pool } = instance
    const [ours, foreign] = ['https://id.example.org/api/auth', 'https://other.example/api/auth']
    const app = (id: string, metadata: object) =>
      pool.query(
        `insert into client (id, name, metadata, created_at, updated_at) values ($1, $1, $2, now(), now())`,
        [id, metadata],
      )
    const ids = [
      'consented',
      'held',
      'held-of-many',
      'spent',
      'over',
      'of-another-api',
      'unused',
      'consented-to-less',
    ]
    for (const id of ids) await app(id, { response_types: ['code'], allowed_resources: [] })
    await app('named', { response_types: ['code'], allowed_resources: [ours] })
    await app('named-another', { response_types: ['code'], allowed_resources: [foreign] })
    await app('silent', { response_types: ['code'] })
    await app('service', { response_types: [], allowed_resources: [ours] })
    await pool.query(
      `insert into resource (identifier, name, scopes, created_at) values ($1, 'Other', '{account}', now())`,
      [foreign],
    )
    const accountId = '00000000-0000-4000-8000-000000000001'
    await pool.query(
      `insert into account (id, name, email, created_at, updated_at) values ($1, 'Ada', 'ada@example.org', now(), now())`,
      [accountId],
    )
    for (const [id, allowed] of [
      ['consented', { [ours]: ['account'] }],
      ['consented-to-less', { [ours]: [] }],
      ['of-another-api', { [foreign]: ['account'] }],
    ] as const)
      await pool.query(
        `insert into consent (account_id, client_id, scopes, resource_scopes, granted_at, updated_at) values ($1, $2, '{openid}', $3, now(), now())`,
        [accountId, id, allowed],
      )
    const token = (id: string, resource: unknown, { isSpent = false, seconds = 60 } = {}) =>
      pool.query(
        `insert into oidc_artifact (model, id_digest, payload, client_id, consumed_at, expires_at)
         values ('RefreshToken', sha256(convert_to($1, 'UTF8')), $2, $1, case when $3 then now() end, now() + $4 * interval '1 second')`,
        [id, { resource }, isSpent, seconds],
      )
    await token('held', ours)
    await token('held-of-many', ['https://api.example/', ours])
    await token('spent', ours, { isSpent: true })
    await token('over', ours, { seconds: -60 })
    await token('unused', 'https://api.example/')

    await instance.migrate()
    const { rows } = await pool.query<{ id: string }>(
      `select id from client where account_api = 'kept' order by id`,
    )
    expect(rows.map(({ id }) => id)).toEqual(['consented', 'held', 'held-of-many', 'named'])
    await instance[Symbol.asyncDispose]()
    await empty.drop()
  })

  it('have the time that a large table takes, and go on where one failed', async () => {
    const empty = await createEmptyDatabase()
    const instance = await openDatabase({ url: empty.url, pool: 2 })
    const limits = `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock`
    instance.orm.config.set('migrations', {
      ...instance.orm.config.get('migrations'),
      migrationsList: [
        named('first', `create table seen as ${limits}`),
        named('second', 'create table half (); select * from "no such table"'),
      ],
    })
    const relations = async () =>
      (
        await instance.pool.query<{ seen: string | null; half: string | null }>(
          `select to_regclass('seen') as seen, to_regclass('half') as half`,
        )
      ).rows[0]
    await expect(instance.migrate()).rejects.toThrow('no such table')
    expect(await relations()).toEqual({ seen: 'seen', half: null })

    // The first would fail if it were applied again.
    instance.orm.config
      .get('migrations')
      .migrationsList?.splice(1, 1, named('slow', `select pg_sleep(${LONG_S})`))
    await instance.migrate()
    expect((await instance.pool.query('select * from seen')).rows).toEqual([
      { statement: '0', lock: '2s' },
    ])
    expect((await instance.pool.query(limits)).rows).toEqual([{ statement: '5s', lock: '2s' }])
    await instance[Symbol.asyncDispose]()
    await empty.drop()
  })

  it('give back what one has locked before the next begins: the version before serves', async () => {
    const empty = await createEmptyDatabase()
    const instance = await openDatabase({ url: empty.url, pool: 3 })
    await instance.pool.query('create table people (id int)')
    instance.orm.config.set('migrations', {
      ...instance.orm.config.get('migrations'),
      migrationsList: [
        named('locks', 'alter table people add column name text'),
        named('slow', `select pg_sleep(${LONG_S})`),
      ],
    })
    const isMigrating = instance.migrate()
    const reader = new Client({ connectionString: empty.url })
    await reader.connect()
    await eventually(
      async () =>
        (
          await reader.query(
            `select from pg_stat_activity where query like '%pg_sleep(${LONG_S})%' and pid <> pg_backend_pid()`,
          )
        ).rowCount,
      1,
    )
    await reader.query(`set lock_timeout = '1s'`)
    expect((await reader.query('select name from people')).rowCount).toBe(0)
    await reader.end()
    await isMigrating
    await instance[Symbol.asyncDispose]()
    await empty.drop()
  })

  it('wait for a lock again that others hold for long', async () => {
    const empty = await createEmptyDatabase()
    const instance = await openDatabase({ url: empty.url, pool: 3 })
    await instance.pool.query('create table people (id int)')
    instance.orm.config.set('migrations', {
      ...instance.orm.config.get('migrations'),
      migrationsList: [named('locks', 'alter table people add column name text')],
    })
    const holder = new Client({ connectionString: empty.url })
    await holder.connect()
    await holder.query('begin; select from people')
    const isMigrating = instance.migrate()
    // Longer than one try, and shorter than all of them.
    await sleep(3500)
    await holder.query('commit')
    await holder.end()
    await isMigrating
    expect((await instance.pool.query('select name from people')).rowCount).toBe(0)
    await instance[Symbol.asyncDispose]()
    await empty.drop()
  })

  it('change one table each that people use, or lock two in the order of requests first', () => {
    const recent = readdirSync(MIGRATIONS)
      .filter((name) => name > 'Migration20261130150000')
      .map((name) => ({ name, sql: readFileSync(join(MIGRATIONS, name), 'utf8') }))
    const found = (sql: string, pattern: RegExp) =>
      [...sql.matchAll(pattern)].map((match) => match[1] ?? '')
    const made = new Set(recent.flatMap(({ sql }) => found(sql, /create table "(\w+)"/g)))
    const hasty = recent.flatMap(({ name, sql }) => {
      const tables = new Set(found(sql, /(?:alter table|references|\bon) "(\w+)"/g)).difference(
        made,
      )
      return tables.size > 1 && !/lock table "/.test(sql) ? [`${name}: ${[...tables].join()}`] : []
    })
    expect(recent.length).toBeGreaterThan(10)
    expect(hasty).toEqual([])
  })
})

function named(name: string, sql: string) {
  return {
    name,
    class: class extends Migration {
      override up(): void {
        this.addSql(sql)
      }
    },
  }
}
