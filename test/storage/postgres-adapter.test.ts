import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { randomToken } from '../../src/crypto/token.ts'
import { openDatabase } from '../../src/database/database.ts'
import type { ContextAdapter } from '../../src/oidc/adapters/adapter.ts'
import { SQL } from '../../src/oidc/adapters/postgres-statements.ts'
import { createPostgresStore } from '../../src/oidc/adapters/postgres-store.ts'
import { keptAnswer } from '../../src/oidc/adapters/stored-answers.ts'
import { useDatabase } from '../support/database.ts'
import { describeArtifactStore } from './adapter-contract.ts'
import { HOUR, MODELS, newOwner, sample } from './contract/samples.ts'
import { openPool, PostgresStorages } from './postgres-store.ts'

const database = useDatabase()
const leewaySeconds = (): number => 10

let storages: PostgresStorages | undefined
afterAll(async () => {
  await storages?.[Symbol.asyncDispose]()
})
describeArtifactStore('PostgreSQL', () => {
  storages ??= new PostgresStorages(database.url)
  return storages.make()
})

describe('the PostgreSQL store', () => {
  let pool: pg.Pool
  const statements: (string | undefined)[] = []

  beforeAll(() => {
    pool = openPool(database.url, 6)
    const query = pool.query.bind(pool) as (config: { name?: string }) => Promise<unknown>
    Reflect.set(pool, 'query', (config: { name?: string }) => {
      statements.push(config.name)
      return query(config)
    })
  })
  afterAll(() => pool.end())

  it('G18 makes one round trip with a prepared statement for every adapter call', async () => {
    const store = createPostgresStore({ pool, leewaySeconds })
    for (const model of MODELS) {
      const adapter = store.adapterFor(model) as ContextAdapter
      const { id, payload } = sample(model)
      const calls = [
        () => adapter.upsert(id, payload, HOUR),
        () => adapter.find(id),
        () => adapter.findInContext(id),
        () => adapter.findByUid('x'),
        () => adapter.findByUserCode('x'),
        () => adapter.consume(id),
        () =>
          adapter.exchange(id, [{ model, id, payload, expiresIn: HOUR }]).catch(() => undefined),
        () => adapter.destroy(id),
        () => adapter.revokeByGrantId('x'),
      ]
      for (const call of calls) {
        statements.length = 0
        await call()
        expect(statements).toEqual([expect.stringMatching(/^artifact_/)])
      }
    }
  })

  it('G18 stores up to three artifacts in one round trip, all or none, and what they come of is spent with them or not at all', async () => {
    const store = createPostgresStore({ pool, leewaySeconds })
    const [access, refresh] = [
      store.adapterFor('AccessToken') as ContextAdapter,
      store.adapterFor('RefreshToken'),
    ]
    const [one, two] = [sample('RefreshToken'), sample('RefreshToken')]
    const minted = (model: string, { id, payload }: typeof one) => ({
      model,
      id,
      payload,
      expiresIn: HOUR,
    })
    for (const source of [two, one]) await refresh.upsert(source.id, source.payload, HOUR)
    const [three, four, tooLong] = [
      sample('AccessToken'),
      sample('RefreshToken'),
      sample('RefreshToken', { ...newOwner(), clientId: 'x'.repeat(513) }),
    ]
    const adapter = refresh as ContextAdapter
    await expect(
      adapter.exchange(two.id, [minted('AccessToken', three), minted('RefreshToken', tooLong)]),
    ).rejects.toThrow('too long')
    expect(await access.find(three.id)).toBeUndefined()
    statements.length = 0
    await adapter.exchange(two.id, [minted('AccessToken', three), minted('RefreshToken', four)])
    expect(statements).toEqual(['artifact_exchange_for_two'])
    expect([await access.find(three.id), await refresh.find(four.id)]).toEqual([
      three.payload,
      four.payload,
    ])

    const [five, six] = [sample('AccessToken'), sample('RefreshToken')]
    const kept = keptAnswer({ token: one.id, next: six.id, sealed: 'sealed', seconds: 10 })
    statements.length = 0
    await adapter.exchange(one.id, [minted('AccessToken', five), minted('RefreshToken', six), kept])
    expect(statements).toEqual(['artifact_exchange_for_three'])
    expect([
      await access.find(five.id),
      await refresh.find(six.id),
      await adapter.findAnswer(one.id),
    ]).toEqual([five.payload, six.payload, 'sealed'])
  })

  it('makes one round trip of the reads that begin together', async () => {
    const store = createPostgresStore({ pool, leewaySeconds })
    const adapter = store.adapterFor('AccessToken') as ContextAdapter
    const stored = Array.from({ length: 50 }, () => sample('AccessToken'))
    await Promise.all(stored.map(({ id, payload }) => adapter.upsert(id, payload, HOUR)))
    statements.length = 0
    const asked = [...stored, ...stored.slice(0, 5), { id: 'no such token', payload: undefined }]
    const found = await Promise.all(asked.map(({ id }) => adapter.findInContext(id)))
    expect(found.map((each) => each?.token)).toEqual(asked.map(({ payload }) => payload))
    expect(statements).toEqual(['artifact_find_in_context'])
  })

  it('hands the models that live elsewhere to their own adapters', async () => {
    const clients = createPostgresStore({ pool, leewaySeconds }).adapterFor('Client')
    const store = createPostgresStore({ pool, leewaySeconds, overrides: { Client: clients } })
    expect(store.adapterFor('Client')).toBe(clients)
    expect(store.adapterFor('Grant')).not.toBe(clients)
  })

  it.each(['revokeByAccount', 'revokeBySession'] as const)(
    'SE-06 no code survives that is stored while %s runs',
    async (revoke) => {
      const store = createPostgresStore({ pool, leewaySeconds })
      const codes = store.adapterFor('AuthorizationCode')
      const sessions = store.adapterFor('Session')
      for (let round = 0; round < 100; round += 1) {
        const owner = newOwner()
        const session = sample('Session', owner)
        await sessions.upsert(session.id, session.payload, HOUR)
        const bound = { expiresWithSession: true }
        const minted = Array.from({ length: 4 }, () =>
          sample('AuthorizationCode', { ...owner, grantId: randomToken() }, bound),
        )
        await Promise.all([
          ...minted.slice(0, 2).map(({ id, payload }) => codes.upsert(id, payload, 60)),
          store[revoke](revoke === 'revokeByAccount' ? owner.accountId : owner.sessionUid),
          ...minted.slice(2).map(({ id, payload }) => codes.upsert(id, payload, 60)),
          sessions.upsert(session.id, session.payload, HOUR),
        ])
        const found = await Promise.all([
          ...minted.map(({ id }) => codes.find(id)),
          sessions.find(session.id),
        ])
        expect(found.filter(Boolean)).toEqual([])
      }
    },
  )

  it('finds its rows by an index, whatever the way', async () => {
    const ways = [
      `"model" = 'Session' and "id_digest" = '\\x00'`,
      `"model" = 'Session' and "lookup_digest" = '\\x00'`,
      `"model" = 'AccessToken' and "grant_id" = 'x'`,
      `"account_id" = 'x'`,
      `"session_uid" = 'x'`,
      `"expires_at" <= now()`,
    ]
    const client = await pool.connect()
    try {
      await client.query('set enable_seqscan = off')
      for (const way of ways) {
        const { rows } = await client.query<{ 'QUERY PLAN': string }>(
          `explain select 1 from "oidc_artifact" where ${way}`,
        )
        expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/Index/)
      }
    } finally {
      client.release(true)
    }
  })

  it('finds them so by a plan that was made when there were few', async () => {
    await using ours = await openDatabase({ url: database.url, pool: 1 })
    const grow = (count: number) =>
      pool.query({
        text: `insert into "oidc_artifact" ("model", "id_digest", "payload")
          select 'AccessToken', sha256(random()::text::bytea), '{}' from generate_series(1, ${count})`,
      })
    await pool.query({ text: 'truncate "oidc_artifact"' })
    await grow(20)
    await pool.query({ text: 'analyze "oidc_artifact"' })
    const statements = [SQL.find, SQL.findInContext]
    // So many that PostgreSQL takes the plan for any number, and keeps it.
    const digests = Array.from({ length: 50 }, () => Buffer.alloc(32))
    for (const statement of statements)
      for (let use = 0; use < 12; use += 1)
        await ours.pool.query({ ...statement, values: ['AccessToken', digests] })
    await grow(20_000)
    for (const { name } of statements) {
      const { rows } = await ours.pool.query<{ 'QUERY PLAN': string }>(
        `explain execute "${name}" ('AccessToken', array_fill('\\x00'::bytea, array[50]))`,
      )
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
      expect(plan).toMatch(/Index Scan/)
      expect(plan).not.toMatch(/Seq Scan/)
    }
  })

  it('TK-10 is unavailable (503), and never done, when the database does not answer', async () => {
    const nowhere = new pg.Pool({ host: '127.0.0.1', port: 1, connectionTimeoutMillis: 500 })
    const store = createPostgresStore({ pool: nowhere, leewaySeconds })
    const tokens = store.adapterFor('RefreshToken')
    const { id, payload } = sample('RefreshToken')
    const attempts = [
      tokens.destroy(id),
      tokens.revokeByGrantId('x'),
      tokens.consume(id),
      tokens.find(id),
      tokens.upsert(id, payload, HOUR),
      store.revokeByAccount('x'),
      store.revokeBySession('x'),
      store.revokeByAccountAndClient('x', 'y'),
    ]
    for (const outcome of await Promise.allSettled(attempts))
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'unavailable', status: 503, statusCode: 503 },
      })
    await nowhere.end()
  })

  it('does not call its own mistakes unavailable', async () => {
    const tokens = createPostgresStore({ pool, leewaySeconds }).adapterFor('AccessToken')
    await expect(tokens.upsert('x', { accountId: 'x'.repeat(65) }, HOUR)).rejects.toMatchObject({
      code: '22001',
    })
  })
})
