import { lookupDigest } from './artifact-keys.ts'
import { fromJsonb, toJsonb } from './jsonb.ts'
import type { Row } from './move-postgres.ts'
import { bindingOf } from './redis-artifact.ts'
import type { Entry } from './redis-calls.ts'
import { payloadOf } from './redis-entry.ts'
import { nameOf } from './redis-keys.ts'

export function nameOfRow({ model, digest, grantId }: Row): string {
  return nameOf(model, digest, grantId ?? '')
}

/** Both storages keep the same digests and payloads: nothing has to be opened to be moved. */
export function entryOf(row: Row): Entry {
  const stored = fromJsonb(row.payload)
  const sessionUid = row.sessionUid ?? ''
  return {
    model: row.model,
    name: nameOfRow(row),
    lookup: row.lookup ?? undefined,
    payload: stored,
    accountId: row.accountId ?? '',
    clientId: row.clientId ?? '',
    sessionUid,
    grantId: row.grantId ?? '',
    bind: bindingOf(row.model, sessionUid, stored),
    isSessionHeld: false,
    consumedAt: row.consumedAt === null ? undefined : Math.floor(row.consumedAt),
    ttl: row.ttl ?? undefined,
  }
}

export interface StandingArtifact {
  readonly model: string
  readonly digest: Buffer
  /** Of a session. */
  readonly uid: string | undefined
  readonly fields: ReadonlyMap<string, string>
  readonly ttl: number | null
}

export function rowOf({ model, digest, uid, fields, ttl }: StandingArtifact): Row {
  const lookup = fields.get('l')
  const consumedAt = fields.get('c')
  return {
    model,
    digest,
    payload: toJsonb(payloadOf(model, fields) ?? {}),
    grantId: fields.get('g') ?? null,
    accountId: fields.get('a') ?? null,
    clientId: fields.get('k') ?? null,
    sessionUid: uid ?? fields.get('s') ?? null,
    lookup:
      uid === undefined
        ? lookup === undefined
          ? null
          : Buffer.from(lookup, 'base64url')
        : lookupDigest('Session', uid),
    consumedAt: consumedAt === undefined ? null : Number(consumedAt),
    ttl,
  }
}
