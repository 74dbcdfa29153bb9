import type { Minted, PastUse, Spent } from './adapter.ts'
import { idDigest, indexOf } from './artifact-keys.ts'
import { fromJsonb, toJsonb } from './jsonb.ts'
import { toStored } from './stored-payload.ts'

export interface ContextRow extends Row {
  readonly grantId: string | null
  readonly grant: string | null
  readonly sessionUid: string | null
  readonly session: string | null
}

export interface Row {
  readonly payload: string
  readonly clientId: string | null
  /** Unix time and age in seconds, by the database's clock. */
  readonly consumedAt: number | null
  readonly secondsAgo: number
}

/** Of a row that holds no more than that it was used, as Redis leaves it behind. */
export function useOf({ payload, consumedAt, secondsAgo }: Row): PastUse | undefined {
  const { $used: spent } =
    consumedAt === null ? {} : (fromJsonb(payload) as { $used?: Spent & { next?: string } })
  return spent && consumedAt !== null ? { ...spent, consumedAt, secondsAgo } : undefined
}

/** The first ten parameters of every statement that stores. */
export function rowOf({ model, id, payload, expiresIn }: Minted): unknown[] {
  const { grantId, accountId, clientId, sessionUid, lookup } = indexOf(model, id, payload)
  const json = toJsonb(toStored(model, id, payload))
  const consumedAt = typeof payload.consumed === 'number' ? payload.consumed : undefined
  return [
    model,
    idDigest(model, id),
    json,
    grantId,
    accountId,
    clientId,
    sessionUid,
    lookup,
    consumedAt,
    expiresIn,
  ]
}
