import { CAPS, LIFETIMES } from '../../config/limits.ts'
import { randomToken, sha256 } from '../../crypto/token.ts'
import type { EntityManager, Pool } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import { IS_KEEPABLE } from '../accounts.ts'
import type { CameBy } from '../came-by.ts'
import type { Method } from './method.ts'
import { methodsOf } from './methods/index.ts'
import { PASSWORD } from './methods/password.ts'
import { toldBy } from './methods/upstream.ts'

/** Whom a challenge is for, and what they have shown before it. */
export interface Challenged {
  readonly accountId: string
  readonly firstStep: readonly Method[]
  readonly upstream: CameBy | undefined
}

const ISSUE = {
  name: 'challenge-issue',
  text: `
insert into "mfa_challenge" ("id", "account_id", "digest", "binding", "first_step", "attempts", "created_at", "expires_at", "provider_id", "upstream_sid", "told")
values (gen_random_uuid(), $1, $2, $3, $5, 0, now(), now() + $4::int * interval '1 second', $6, $7, $8)`,
}
const COUNT_TRY = {
  name: 'challenge-count-try',
  text: `
update "mfa_challenge" set "attempts" = "attempts" + 1
where "digest" = $1 and "binding" = $2 and "expires_at" > now() and "spent_at" is null and "attempts" < ${CAPS.challengeTries}
  and exists (select from "account" where "id" = "account_id" and ("status" = 'active' and not "must_reset_password" or ${IS_KEEPABLE}))
returning "account_id"::text as "accountId", array_to_string("first_step", ' ') as "firstStep", array_to_string("told", E'\\n') as "told", "provider_id" as "providerId", "upstream_sid" as "sid"`,
}
const PEEK = {
  name: 'challenge-peek',
  text: `
select "account_id"::text as "accountId" from "mfa_challenge"
where "digest" = $1 and "binding" = $2 and "expires_at" > now() and "spent_at" is null and "attempts" < ${CAPS.challengeTries}`,
}

const SPEND =
  'update "mfa_challenge" set "spent_at" = now() where "digest" = ? and "spent_at" is null returning 1'
interface Tried {
  readonly accountId: string
  readonly firstStep: string
  /** A line each. */
  readonly told: string
  readonly providerId: string | null
  readonly sid: string | null
}
const GIVE_BACK = {
  name: 'challenge-give-back',
  text: 'update "mfa_challenge" set "spent_at" = null, "attempts" = greatest("attempts" - 1, 0) where "digest" = $1',
}

/**
 * The state between the factors: names an account to the code step of one binding, and opens
 * nothing else (TF-06).
 */
export class MfaChallenges {
  readonly #pool: Pool

  constructor({ pool }: { pool: Pool }) {
    this.#pool = pool
  }

  /** `firstStep`: what was shown before it. */
  async issue(
    accountId: string,
    binding: string,
    firstStep: readonly Method[] = [PASSWORD],
    upstream?: CameBy,
  ): Promise<{ challenge: string; expiresInSeconds: number }> {
    const challenge = randomToken()
    const shown = firstStep.map(({ id }) => id)
    const values = [
      accountId,
      nameOf(challenge),
      bindingDigest(binding),
      LIFETIMES.mfaChallenge,
      shown,
      upstream?.providerId ?? null,
      upstream?.sid ?? null,
      firstStep.flatMap(toldBy),
    ]
    await this.#pool.query({ ...ISSUE, values })
    return { challenge, expiresInSeconds: LIFETIMES.mfaChallenge }
  }

  /**
   * Counts one try at the challenge and names its account. Throws `invalid_code` when it is
   * unknown, foreign, expired, used up, or its account may not sign in.
   */
  async tryOnce(challenge: string, binding: string): Promise<Challenged> {
    const { rows } = await this.#pool.query<Tried>({
      ...COUNT_TRY,
      values: [nameOf(challenge), bindingDigest(binding)],
    })
    const [row] = rows
    const parts = (text: string, by: string) => text.split(by).filter(Boolean)
    const firstStep = row && methodsOf(parts(row.firstStep, ' '), parts(row.told, '\n'))
    if (!row || !firstStep) throw new AppError('invalid_code')
    const { accountId, providerId, sid } = row
    const upstream = providerId === null ? undefined : { providerId, sid: sid ?? undefined }
    return { accountId, firstStep, upstream }
  }

  /** Whom it is for; no try is counted. Throws `invalid_code` as a try would. */
  async accountOf(challenge: string, binding: string): Promise<string> {
    const { rows } = await this.#pool.query<{ accountId: string }>({
      ...PEEK,
      values: [nameOf(challenge), bindingDigest(binding)],
    })
    if (!rows[0]) throw new AppError('invalid_code')
    return rows[0].accountId
  }

  /**
   * Spends the challenge, with what it is answered for. Throws `invalid_code` when another call was
   * faster.
   */
  async spend(tx: EntityManager, challenge: string): Promise<void> {
    const spent = await tx.execute<unknown[]>(SPEND, [nameOf(challenge)])
    if (spent.length === 0) throw new AppError('invalid_code')
  }

  /** For a challenge that was answered rightly, and what it was answered for has not come about. */
  async giveBack(challenge: string): Promise<void> {
    await this.#pool.query({ ...GIVE_BACK, values: [nameOf(challenge)] })
  }
}

/** By what a challenge is known where its code was spent. */
export function nameOf(challenge: string): Buffer {
  return sha256(challenge)
}

/**
 * A binding names an interaction, whose id opens it in the right browser: the table keeps a digest
 * (TK-13).
 */
function bindingDigest(binding: string): string {
  return sha256(binding).toString('base64url')
}
