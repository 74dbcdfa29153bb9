import type { Deletion } from '../accounts/deletion.ts'
import type { Audit } from '../audit/audit.ts'
import { PURGED_AT_MOST, purgeAudit } from '../audit/retention.ts'
import type { EntityManager, Pool } from '../database/database.ts'
import { DISTRUST } from '../entities/known-device.ts'

/** One thing that is done again and again; answers how many rows it was about. */
export interface Job {
  readonly name: string
  /** Rows that one run is about at most: when it was about so many, there are more. */
  readonly most: number
  run(): Promise<number>
}

export interface JobsDeps {
  readonly em: EntityManager
  readonly pool: Pool
  readonly deletion: Pick<Deletion, 'eraseDue'>
  readonly audit: Audit
  readonly auditRetentionDays: number
}

/** Rows that one statement deletes at most: no lock is held for long, and no dead row waits for much. */
const BATCH = 1000
const ACCOUNTS = 100
const BATCHES = 100

/**
 * What is deleted when (LG-07, docs/operations.md). A block is a positive fact that limits access:
 * a counter goes only when it blocks nothing and its subject has been quiet for longer than any
 * window.
 */
const EXPIRED = {
  'answers to refreshes': {
    table: 'oidc_artifact',
    where: `"model" = 'RefreshAnswer' and "expires_at" <= now()`,
  },
  'protocol artifacts': { table: 'oidc_artifact', where: `"expires_at" <= now()` },
  sessions: { table: 'session', where: `"expires_at" <= now()` },
  'pending sign-ups': { table: 'pending_sign_up', where: `"expires_at" <= now()` },
  'mailed codes and links': { table: 'verification_token', where: `"expires_at" <= now()` },
  'sign-ins between two factors': { table: 'mfa_challenge', where: `"expires_at" <= now()` },
  'people away at providers': { table: 'upstream_flow', where: `"expires_at" <= now()` },
  'arrivals from providers': { table: 'upstream_arrival', where: `"expires_at" <= now()` },
  'answered challenges': { table: 'spent_challenge', where: `"expires_at" <= now()` },
  'unconfirmed authenticators': {
    table: 'totp_credential',
    where: `"confirmed_at" is null and "expires_at" <= now()`,
  },
  invitations: {
    table: 'invitation',
    where: `least("expires_at", "revoked_at") < now() - interval '90 days'`,
  },
  'failed attempts': {
    table: 'attempt_counter',
    where: `"updated_at" < now() - interval '30 days' and ("blocked_until" is null or "blocked_until" <= now())`,
  },
  'known devices': { table: 'known_device', where: `"last_seen_at" < now() - interval '400 days'` },
  'delivered mail': { table: 'outbox_message', where: `"delivered_at" < now() - interval '1 day'` },
  // A picture is locked and gets its new time before a client has it.
  'pictures of no app': {
    table: 'picture',
    where: `"used_at" < now() - interval '1 day' and not exists (select from "client" where "logo_digest" = "picture"."digest")`,
  },
  'refusals of apps': { table: 'client_refusal', where: `"last_at" < now() - interval '30 days'` },
  'undeliverable mail': {
    table: 'outbox_message',
    where: `"failed_at" < now() - interval '30 days'`,
  },
} as const

const DISTRUST_DUE = `
update "known_device" set ${DISTRUST} where ctid = any(array(
  select ctid from "known_device" where "trusted_until" <= now() limit ${BATCH} for update skip locked
))`

/** What is of use for seconds. */
export function shortLivedJobs({ pool }: Pick<JobsDeps, 'pool'>): Job[] {
  const name = 'answers to refreshes'
  return [{ name, most: BATCH * BATCHES, run: () => deleteExpired(pool, name) }]
}

export function retentionJobs({ em, pool, deletion, audit, auditRetentionDays }: JobsDeps): Job[] {
  const expired = Object.keys(EXPIRED) as (keyof typeof EXPIRED)[]
  return [
    ...expired.map((name) => ({
      name,
      most: BATCH * BATCHES,
      run: () => deleteExpired(pool, name),
    })),
    {
      name: 'trust in devices',
      most: BATCH * BATCHES,
      run: () => exhaust(BATCH, async () => (await pool.query(DISTRUST_DUE)).rowCount ?? 0),
    },
    {
      name: 'accounts to erase',
      most: ACCOUNTS * BATCHES,
      run: () => exhaust(ACCOUNTS, () => deletion.eraseDue(ACCOUNTS)),
    },
    {
      name: 'audit events',
      most: PURGED_AT_MOST,
      run: () => purgeAudit(em, audit, auditRetentionDays),
    },
  ]
}

export function deleteExpired(pool: Pool, what: keyof typeof EXPIRED): Promise<number> {
  const { table, where } = EXPIRED[what]
  const limited = `select ctid from "${table}" where ${where} limit ${BATCH} for update skip locked`
  return exhaust(
    BATCH,
    async () =>
      (await pool.query(`delete from "${table}" where ctid = any(array(${limited}))`)).rowCount ??
      0,
  )
}

/** Batch after batch until one is not full, and no more in one go than leaves the other jobs their turn. */
async function exhaust(full: number, batch: () => Promise<number>): Promise<number> {
  let total = 0
  for (let round = 0; round < BATCHES; round += 1) {
    const count = await batch()
    total += count
    if (count < full) break
  }
  return total
}
