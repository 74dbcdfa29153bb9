import type { Pool } from './database.ts'

/** SQL that spends a challenge ($1 digest, $2 end): one row for the first use of it, none for all others. */
export const SPEND_CHALLENGE = `
insert into "spent_challenge" ("digest", "expires_at") values ($1::bytea, $2::timestamptz) on conflict do nothing returning 1`

const SPEND = { name: 'challenge-spend', text: SPEND_CHALLENGE }

/** False where it was spent before. */
export async function spendChallenge(
  pool: Pick<Pool, 'query'>,
  spending: readonly [digest: Buffer, end: Date],
): Promise<boolean> {
  return (await pool.query({ ...SPEND, values: [...spending] })).rowCount === 1
}
