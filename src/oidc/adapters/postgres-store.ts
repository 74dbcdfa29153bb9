import { batched } from '../../batched.ts'
import type { Pool } from '../../database/database.ts'
import type { Adapter, ArtifactStore, ArtifactStoreOptions, Use, UseLedger } from './adapter.ts'
import { idDigest, lookupDigest } from './artifact-keys.ts'
import { fromJsonb, toJsonb } from './jsonb.ts'
import { PostgresAdapter } from './postgres-adapter.ts'
import { createQuery } from './postgres-query.ts'
import { type Row, useOf } from './postgres-rows.ts'
import { SQL } from './postgres-statements.ts'
import { Rotations } from './rotations.ts'
import { grantsIn, type SessionGrant } from './session-grants.ts'

export interface PostgresStoreOptions extends ArtifactStoreOptions {
  readonly pool: Pool
}

/**
 * The artifacts in PostgreSQL, table `oidc_artifact`. Times are the database's. The pool stays its
 * owner's.
 */
export function createPostgresStore({
  pool,
  overrides = {},
  leewaySeconds,
}: PostgresStoreOptions): ArtifactStore & UseLedger {
  const query = createQuery(pool)
  const rotations = new Rotations()
  const find = async (model: string, id: string) =>
    (await query<Row>(SQL.find, [model, [idDigest(model, id)]])).rows[0]
  const isFirst = batched(async (uses: readonly Use[]) => {
    const digests = uses.map(({ model, id }) => idDigest(model, id))
    const left = uses.map(({ leftMs }) => (leftMs < 0 ? null : leftMs))
    const payloads = uses.map(({ clientId, grantId, sessionUid, next }) =>
      toJsonb({ $used: { clientId, grantId, sessionUid, next } }),
    )
    const { rows } = await query<{ digest: Buffer }>(SQL.use, [
      uses.map(({ model }) => model),
      digests,
      left,
      payloads,
    ])
    const first = new Set(rows.map(({ digest }) => digest.toString('latin1')))
    return digests.map((digest) => first.delete(digest.toString('latin1')))
  })
  return {
    adapterFor: (model): Adapter =>
      overrides[model] ?? new PostgresAdapter(model, { query, rotations, leewaySeconds }),

    /** Sessions end before the rest: from then on none of them gets a new code, so the rest is complete. */
    async revokeByAccount(accountId, { exceptSessionUid } = {}) {
      const kept =
        exceptSessionUid === undefined ? undefined : await authorizations(exceptSessionUid)
      await query(SQL.revokeSessionsOfAccount, [accountId, exceptSessionUid ?? null])
      await query(SQL.deleteByAccount, [
        accountId,
        exceptSessionUid ?? null,
        kept?.map(({ grantId }) => grantId) ?? [],
      ])
    },

    async revokeBySession(sessionUid) {
      const { rows } = await query<{ payload: string }>(SQL.revokeSession, [
        lookupDigest('Session', sessionUid),
      ])
      const ended = rows
        .flatMap(({ payload }) => grantsIn(fromJsonb(payload)))
        .filter(({ isOffline }) => !isOffline)
      await query(SQL.deleteBySession, [sessionUid, ended.map(({ grantId }) => grantId)])
    },

    async revokeByAccountAndClient(accountId, clientId) {
      await query(SQL.deleteByAccountAndClient, [accountId, clientId])
    },

    async earlierUse(use) {
      if (await isFirst(use)) return undefined
      const row = await find(use.model, use.id)
      return { secondsAgo: row?.secondsAgo ?? 0, next: row && useOf(row)?.next }
    },

    async findUse(model, id) {
      const row = await find(model, id)
      return row && useOf(row)
    },

    [Symbol.asyncDispose]: async () => undefined,
  }

  async function authorizations(sessionUid: string): Promise<SessionGrant[]> {
    const { rows } = await query<{ payload: string }>(SQL.findByLookup, [
      'Session',
      lookupDigest('Session', sessionUid),
    ])
    return rows.flatMap(({ payload }) => grantsIn(fromJsonb(payload)))
  }
}
