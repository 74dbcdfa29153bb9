import { hash, randomUUID } from 'node:crypto'
import { MAX_CLIENT_ID } from '../config/limits.ts'
import type { Actor, AuditDetail, AuditRecord } from './event.ts'

/**
 * Who called, apart from the rest: it is erased with the account, and the chain holds a salted
 * digest of it (LG-08).
 */
export interface AuditOrigin {
  readonly ip: string | null
  readonly userAgent: string | null
}

/** What the hash of a row covers, besides the hash of the row before. */
export interface AuditContent {
  readonly at: Date
  readonly type: string
  readonly outcome: string
  readonly accountId: string | null
  readonly clientId: string | null
  readonly sessionId: string | null
  readonly requestId: string | null
  readonly detail: Record<string, unknown>
  /** Hex, as all digests and salts of the trail are. */
  readonly originDigest: string
}

export interface AuditRow extends AuditContent, AuditOrigin {
  readonly originSalt: string | null
}

/** Longest text in `detail`. */
const MAX_TEXT = 512

/** The row before the first. */
export const GENESIS = '00'.repeat(32)

/** SHA-256 over the previous hash, the number of the row and its content in one spelling. */
export function hashOf(seq: number, previousHash: string, row: AuditContent): string {
  const content = [
    seq,
    row.at.toISOString(),
    row.type,
    row.outcome,
    row.accountId,
    row.clientId,
    row.sessionId,
    row.requestId,
    row.originDigest,
    sorted(row.detail),
  ]
  return digest(previousHash, JSON.stringify(content))
}

export function originDigest(salt: string, { ip, userAgent }: AuditOrigin): string {
  return digest(salt, JSON.stringify([ip, userAgent]))
}

/** Of bytes that are given in hex, and a text after them. */
function digest(bytes: string, text: string): string {
  return hash('sha256', Buffer.concat([Buffer.from(bytes, 'hex'), Buffer.from(text)]), 'hex')
}

/** A row as it will be read back: cut to the columns, without what PostgreSQL cannot hold. */
export function rowOf(event: AuditRecord, at: Date, subject: string | undefined): AuditRow {
  const { type, outcome = 'success', accountId, clientId, sessionId, origin } = event
  const detail = withActor(event.detail ?? {}, event.actor)
  const who = { ip: text(origin?.ip, 45), userAgent: text(origin?.userAgent, 512) }
  // 122 random bits, of a store that Node keeps: a draw for each row costs more than its digest.
  const originSalt = randomUUID().replaceAll('-', '')
  return {
    at,
    type,
    outcome,
    accountId: accountId?.toLowerCase() ?? null,
    clientId: text(clientId, MAX_CLIENT_ID),
    sessionId: text(sessionId, 64),
    requestId: text(origin?.requestId, 64),
    detail: clean(subject ? { ...detail, subject } : detail),
    ...who,
    originSalt,
    originDigest: originDigest(originSalt, who),
  }
}

/**
 * A row has no member of its own for the actor: what the hash covers has no version yet. Its detail
 * tells the kind.
 */
function withActor(detail: AuditDetail, actor: Actor | undefined): AuditDetail {
  return actor ? { ...detail, by: actor.kind } : detail
}

function text(value: string | undefined, max: number): string | null {
  return value === undefined ? null : storable(value, max)
}

function clean(detail: AuditDetail): Record<string, unknown> {
  const cleaned: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(detail)) {
    if (typeof value === 'string') cleaned[key] = storable(value, MAX_TEXT)
    else if (typeof value === 'object') cleaned[key] = value.map((item) => storable(item, MAX_TEXT))
    else if (value !== undefined) cleaned[key] = value
  }
  return cleaned
}

/** Without NUL, which PostgreSQL refuses, and half characters, which UTF-8 cannot spell. */
function storable(value: string, max: number): string {
  const whole = value.includes('\0') ? value.replaceAll('\0', '') : value
  return (whole.length > max ? whole.slice(0, max) : whole).toWellFormed()
}

/** `jsonb` keeps no order of keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}
