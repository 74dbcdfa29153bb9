import type { Pool } from '../../database/database.ts'
import { StartupError } from '../../errors.ts'
import type { RedisConnection } from '../../redis/redis.ts'
import { countRows, deleteRows, insertRows, type Row, rowsAfter } from './move-postgres.ts'
import { entryOf, nameOfRow, rowOf } from './move-shapes.ts'
import type { Calls } from './redis-calls.ts'
import { ALL_KEYS, KEYS, readArtifactKey } from './redis-keys.ts'
import { redisCalls } from './redis-store.ts'

const BATCH = 500

export interface MoveDeps {
  readonly pool: Pool
  readonly redis: RedisConnection
}

/** Artifacts moved, by model. */
export type Moved = ReadonlyMap<string, number>

/**
 * Moves all live artifacts from PostgreSQL to Redis, by digest and in bounded batches. Each batch
 * is copied, read back and only then deleted, so a move that was cut off is repeated and goes on.
 * What the target knows already stays as it is there.
 */
export async function moveToRedis({ pool, redis }: MoveDeps): Promise<Moved> {
  const calls = redisCalls(redis)
  const moved = new Map<string, number>()
  let rows: Row[] = []
  do {
    rows = await rowsAfter(pool, rows.at(-1), BATCH)
    await Promise.all(rows.map((row) => copy(calls, row)))
    const arrived = (await Promise.all(rows.map((row) => isThere(redis, calls, row)))).filter(
      Boolean,
    ).length
    verify(arrived, rows.length)
    await deleteRows(pool, rows)
    count(moved, rows)
  } while (rows.length === BATCH)
  return moved
}

/**
 * The way back, so that shrinking is no mass logout either. Goes over all keys until there is
 * nothing left to move.
 */
export async function moveToPostgres(deps: MoveDeps): Promise<Moved> {
  const moved = new Map<string, number>()
  let hasMoved: boolean
  do hasMoved = await moveWhatIsFound(deps, moved)
  while (hasMoved)
  return moved
}

async function moveWhatIsFound(
  { pool, redis }: MoveDeps,
  moved: Map<string, number>,
): Promise<boolean> {
  const calls = redisCalls(redis)
  let hasMoved = false
  for await (const keys of pages(redis)) {
    const found = await Promise.all(
      keys
        .flatMap((key) => readArtifactKey(key) ?? [])
        .map((artifact) => read(redis, calls, artifact)),
    )
    const rows = found.flatMap((row) => row ?? [])
    if (rows.length === 0) continue
    await insertRows(pool, rows)
    verify(await countRows(pool, rows), rows.length)
    await Promise.all(rows.map((row) => forget(redis, row)))
    count(moved, rows)
    hasMoved = true
  }
  return hasMoved
}

function verify(arrived: number, sent: number): void {
  if (arrived === sent) return
  throw new StartupError(
    `Of ${sent} artifacts only ${arrived} arrived; the rest is still where it was. Run the command again.`,
  )
}

function count(moved: Map<string, number>, rows: readonly Row[]): void {
  for (const { model } of rows) moved.set(model, (moved.get(model) ?? 0) + 1)
}

function find(calls: Calls, model: string, name: string) {
  return model === 'Session' ? calls.findSession(name) : calls.find(model, name)
}

/** A session is there under whatever id it has by now, as a trace too. */
async function isThere(redis: RedisConnection, calls: Calls, row: Row): Promise<boolean> {
  if (row.model === 'Session')
    return (
      (await redis.run(KEYS.session(row.sessionUid ?? ''), (client, key) => client.exists(key))) ===
      1
    )
  return (await calls.find(row.model, nameOfRow(row))) !== undefined
}

async function copy(calls: Calls, row: Row): Promise<void> {
  const known = await find(calls, row.model, nameOfRow(row))
  if (known) {
    if (row.consumedAt !== null && !known.fields.has('c'))
      await calls.consume(row.model, nameOfRow(row), undefined)
    return
  }
  const entry = entryOf(row)
  if (row.model === 'Session') await calls.putSession({ ...entry, proof: '' })
  else await calls.put(entry)
}

type Artifact = NonNullable<ReturnType<typeof readArtifactKey>>

async function read(
  redis: RedisConnection,
  calls: Calls,
  artifact: Artifact,
): Promise<Row | undefined> {
  const found = await find(calls, artifact.model, artifact.name)
  if (!found) return undefined
  const pointer = KEYS.artifact(artifact.model, artifact.name)
  const uid =
    artifact.model === 'Session'
      ? await redis.run(pointer, (client, key) => client.get(key))
      : undefined
  const ttl = await redis.run(
    typeof uid === 'string' ? KEYS.session(uid) : pointer,
    (client, key) => client.pttl(key),
  )
  return ttl === -2
    ? undefined
    : rowOf({
        ...artifact,
        uid: uid ?? undefined,
        fields: found.fields,
        ttl: ttl === -1 ? null : ttl,
      })
}

async function forget(redis: RedisConnection, row: Row): Promise<void> {
  await redis.run(KEYS.artifact(row.model, nameOfRow(row)), (client, key) => client.del(key))
  if (row.model === 'Session')
    await redis.run(KEYS.session(row.sessionUid ?? ''), (client, key) => client.del(key))
}

/** Deletes all keys of ours and no others. Returns how many there were. */
export async function emptyRedis(redis: RedisConnection): Promise<number> {
  let deleted = 0
  for await (const keys of pages(redis)) {
    const counts = await Promise.all(
      keys.map((each) => redis.run(each, (client, key) => client.unlink(key))),
    )
    deleted += counts.reduce((sum, count) => sum + count, 0)
  }
  return deleted
}

/** Keys of every server, a page at a time; some may come twice. */
async function* pages(redis: RedisConnection): AsyncGenerator<string[]> {
  for (const server of redis.servers()) {
    let cursor = '0'
    do {
      const [next, keys] = await server.scan(cursor, 'MATCH', ALL_KEYS, 'COUNT', BATCH)
      yield keys
      cursor = next
    } while (cursor !== '0')
  }
}
