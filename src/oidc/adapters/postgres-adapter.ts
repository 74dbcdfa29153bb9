import { batched } from '../../batched.ts'
import { randomToken } from '../../crypto/token.ts'
import type { AdapterPayload, ContextAdapter, InContext, Minted } from './adapter.ts'
import { ANSWER, idDigest, indexOf, lookupDigest } from './artifact-keys.ts'
import { alreadyConsumed, fromUse, isForgiven, replayed } from './consumption.ts'
import { fromJsonb } from './jsonb.ts'
import type { Query } from './postgres-query.ts'
import { type ContextRow, type Row, rowOf, useOf } from './postgres-rows.ts'
import { SQL } from './postgres-statements.ts'
import type { Rotations } from './rotations.ts'
import { answerIn } from './stored-answers.ts'
import { type FoundBy, fromStored } from './stored-payload.ts'

export interface PostgresAdapterDeps {
  readonly query: Query
  readonly rotations: Rotations
  readonly leewaySeconds: (clientId: string) => number
}

/** One model's artifacts; every call is one statement. */
export class PostgresAdapter implements ContextAdapter {
  readonly #model: string
  readonly #deps: PostgresAdapterDeps
  readonly #found: (digest: Buffer) => Promise<Row | undefined>
  readonly #foundInContext: (digest: Buffer) => Promise<ContextRow | undefined>

  constructor(model: string, deps: PostgresAdapterDeps) {
    this.#model = model
    this.#deps = deps
    this.#found = batched((digests) => this.#byDigest<Row>(SQL.find, digests))
    this.#foundInContext = batched((digests) =>
      this.#byDigest<ContextRow>(SQL.findInContext, digests),
    )
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const { query, rotations } = this.#deps
    const { sessionUid } = indexOf(this.#model, id, payload)
    const row = rowOf({ model: this.#model, id, payload, expiresIn })
    if (this.#model === 'Session') {
      await query(SQL.upsertSession, [...row, sessionUid && rotations.proofFor(sessionUid)])
    } else if (this.#model === 'AuthorizationCode') {
      await query(SQL.upsertCode, [...row, sessionUid && lookupDigest('Session', sessionUid)])
    } else if (this.#model === 'ReplayDetection') {
      const { rowCount } = await query(SQL.insertIfAbsent, row)
      if (rowCount === 0) throw await replayed()
    } else {
      await query(SQL.upsert, row)
    }
  }

  async findInContext(id: string): Promise<InContext | undefined> {
    const row = await this.#foundInContext(idDigest(this.#model, id))
    const token = this.#present(row, { id })
    if (!row || !token) return undefined
    const { grant, grantId, session, sessionUid } = row
    return {
      token,
      grant:
        grant === null ? undefined : fromStored('Grant', { id: grantId ?? '' }, fromJsonb(grant)),
      session:
        session === null
          ? undefined
          : fromStored('Session', { lookup: sessionUid ?? '' }, fromJsonb(session)),
      isSpent: row.consumedAt !== null && token.consumed === undefined,
    }
  }

  async findAnswer(id: string): Promise<string | undefined> {
    const [row] = await this.#byDigest<Row>(SQL.find, [idDigest(ANSWER, id)], ANSWER)
    const kept = row && answerIn(fromJsonb(row.payload))
    const next = kept && (await this.#found(Buffer.from(kept.next, 'base64url')))
    return next?.consumedAt === null ? kept?.$answer : undefined
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const row = await this.#found(idDigest(this.#model, id))
    const use = row && this.#model === 'RefreshToken' ? useOf(row) : undefined
    if (!use) return this.#present(row, { id })
    return fromUse(id, use, new PostgresAdapter('Grant', this.#deps), this.#deps.leewaySeconds)
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#findByLookup(uid)
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#findByLookup(userCode)
  }

  async consume(id: string): Promise<void> {
    const { rowCount } = await this.#deps.query(SQL.consume, [
      this.#model,
      idDigest(this.#model, id),
    ])
    if (rowCount !== 1) throw await alreadyConsumed(this.#model)
  }

  async exchange(id: string, minted: readonly Minted[]): Promise<void> {
    const statement =
      [SQL.exchange, SQL.exchangeForTwo, SQL.exchangeForThree][minted.length - 1] ?? SQL.exchange
    const { rowCount } = await this.#deps.query(statement, [
      this.#model,
      idDigest(this.#model, id),
      ...minted.flatMap(rowOf),
    ])
    if (rowCount !== minted.length) throw await alreadyConsumed(this.#model)
  }

  async destroy(id: string): Promise<void> {
    const { query, rotations } = this.#deps
    const key = idDigest(this.#model, id)
    if (this.#model !== 'Session') {
      await query(SQL.destroy, [this.#model, key])
      return
    }
    const proof = randomToken(128)
    const { rows } = await query<{ sessionUid: string }>(SQL.destroySession, [key, proof])
    for (const { sessionUid } of rows) rotations.begin(sessionUid, proof)
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await this.#deps.query(SQL.revokeByGrant, [this.#model, grantId])
  }

  async #findByLookup(lookup: string): Promise<AdapterPayload | undefined> {
    const { rows } = await this.#deps.query<Row>(SQL.findByLookup, [
      this.#model,
      lookupDigest(this.#model, lookup),
    ])
    return this.#present(rows[0], { lookup })
  }

  async #byDigest<Found extends Row>(
    statement: (typeof SQL)['find'],
    digests: readonly Buffer[],
    model = this.#model,
  ): Promise<(Found | undefined)[]> {
    const { rows } = await this.#deps.query<Found & { readonly digest: Buffer }>(statement, [
      model,
      digests,
    ])
    const found = new Map(rows.map((row) => [row.digest.toString('latin1'), row]))
    return digests.map((digest) => found.get(digest.toString('latin1')))
  }

  #present(row: Row | undefined, by: FoundBy): AdapterPayload | undefined {
    if (!row) return undefined
    const { consumedAt, secondsAgo } = row
    if (consumedAt === null) return fromStored(this.#model, by, fromJsonb(row.payload))
    if (this.#model === 'Session' || useOf(row)) return undefined
    const payload = fromStored(this.#model, by, fromJsonb(row.payload))
    const consumption = { clientId: row.clientId ?? undefined, secondsAgo }
    return isForgiven(consumption, this.#deps.leewaySeconds)
      ? payload
      : { ...payload, consumed: Math.floor(consumedAt) }
  }
}
