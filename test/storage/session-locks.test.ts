import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import type { ArtifactStore } from '../../src/oidc/adapters/adapter.ts'
import { createPostgresStore } from '../../src/oidc/adapters/postgres-store.ts'
import { useDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { HOUR, newOwner, type Owner, sample } from './contract/samples.ts'
import { openPool } from './postgres-store.ts'

const database = useDatabase()

/** What ends a session, and whether the codes of it end in the same call. */
const ENDS = [
  ['revokeBySession', true, (store, { sessionUid }) => store.revokeBySession(sessionUid)],
  ['revokeByAccount', true, (store, { accountId }) => store.revokeByAccount(accountId)],
  [
    'revokeByAccount but for another session',
    true,
    (store, { accountId }) => store.revokeByAccount(accountId, { exceptSessionUid: 'another' }),
  ],
  ['destroy', false, (store, _owner, id) => destroyed(store, id)],
] as const satisfies [
  string,
  boolean,
  (store: ArtifactStore, owner: Owner, id: string) => Promise<void>,
][]

/** Twice: what is destroyed once may go on under a new id. */
async function destroyed(store: ArtifactStore, id: string): Promise<void> {
  for (let time = 0; time < 2; time += 1) await store.adapterFor('Session').destroy(id)
}

describe('a code and its session in PostgreSQL', () => {
  let pool: pg.Pool
  let client: pg.Client
  let store: ArtifactStore
  /** Whose statements are one transaction, which the test holds open. */
  let held: ArtifactStore
  let owner: Owner
  let session: ReturnType<typeof sample>
  let code: ReturnType<typeof sample>

  beforeAll(async () => {
    pool = openPool(database.url, 4)
    client = new pg.Client({ connectionString: database.url })
    await client.connect()
    const leewaySeconds = () => 10
    store = createPostgresStore({ pool, leewaySeconds })
    held = createPostgresStore({ pool: client as unknown as pg.Pool, leewaySeconds })
  })
  beforeEach(async () => {
    owner = newOwner()
    session = sample('Session', owner)
    code = sample('AuthorizationCode', owner, { expiresWithSession: true })
    await save(store, 'Session', session)
    await client.query('begin')
  })
  afterEach(() => client.query('rollback'))
  afterAll(async () => {
    await client.end()
    await pool.end()
  })

  const save = (where: ArtifactStore, model: string, { id, payload }: typeof code) =>
    where.adapterFor(model).upsert(id, payload, HOUR)
  const isStored = async () => !!(await store.adapterFor('AuthorizationCode').find(code.id))
  const waiting = async () => {
    const { rows } = await pool.query<{ count: number }>(
      `select count(*)::int as "count" from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return rows[0]?.count
  }
  async function waitsForCommit(doing: Promise<void>): Promise<void> {
    await eventually(waiting, 1)
    await client.query('commit')
    await doing
  }

  it('do not wait for each other', async () => {
    await save(held, 'Session', session)
    await save(store, 'AuthorizationCode', code)
    await client.query('commit; begin')
    await save(held, 'AuthorizationCode', { ...code, id: 'another' })
    await save(store, 'Session', session)
    expect(await isStored()).toBe(true)
  })

  it.each(ENDS)('SE-06 waits for %s that is under way, and is not stored', async (_how, _, end) => {
    await end(held, owner, session.id)
    await waitsForCommit(save(store, 'AuthorizationCode', code))
    expect(await isStored()).toBe(false)
  })

  it.each(ENDS)('SE-06 %s waits for a code that is being stored', async (_how, endsCodes, end) => {
    await save(held, 'AuthorizationCode', code)
    await waitsForCommit(end(store, owner, session.id))
    expect(await isStored()).toBe(!endsCodes)
    expect(await store.adapterFor('Session').find(session.id)).toBeUndefined()
  })

  it.each(ENDS)('SE-06 %s ends a session that is being stored', async (_how, _, end) => {
    await save(held, 'Session', session)
    await waitsForCommit(end(store, owner, session.id))
    expect(await store.adapterFor('Session').find(session.id)).toBeUndefined()
    await save(store, 'AuthorizationCode', code)
    expect(await isStored()).toBe(false)
  })
})
