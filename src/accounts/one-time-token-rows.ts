import { LIFETIMES } from '../config/limits.ts'
import { databaseNow, inSeconds } from '../database/clock.ts'
import type { EntityManager } from '../database/database.ts'
import { VerificationToken } from '../entities/index.ts'
import type { TokenPurpose } from '../entities/verification-token.ts'

export interface Issue {
  readonly purpose: TokenPurpose
  /** Account or pending sign-up. */
  readonly subjectId: string
  readonly address: string
  readonly credentialVersion?: number
  readonly lifetimeSeconds?: number
  /** The page that asks, if it has asked before. */
  readonly page?: string | undefined
}

/** Code and link secret leave in one mail and are stored as digests only. */
export interface Issued {
  /** Names the page that asked. */
  readonly tokenId: string
  readonly code: string
  readonly linkSecret: string
  readonly expiresAt: Date
}

/** What a page or a link stands for, once its code or secret was shown. */
export interface Proof {
  readonly subjectId: string
  readonly address: string
  readonly credentialVersion: number
  readonly issuedAt: Date
}

export interface Row {
  id: string
  subject_id: string
  address: string
  credential_version: number
  created_at: Date
  attempts: number
  code_digest?: Buffer | null
}

const COLUMNS = '"id", "subject_id", "address", "credential_version", "created_at", "attempts"'
export const TRY_OWN = {
  name: 'one-time-token-try-own',
  text: `
update "verification_token" set "attempts" = "attempts" + 1
where "address" = $1 and "purpose" = $2 and ("id" = $3 or "page_id" = $3) and ($4::uuid is null or "subject_id" = $4) and "expires_at" > now()
returning ${COLUMNS}, "code_digest"`,
}
export const FIND_OTHERS = {
  name: 'one-time-token-find-others',
  text: `
select ${COLUMNS}, "code_digest" from "verification_token"
where "address" = $1 and "purpose" = $2 and "id" <> all($3::uuid[]) and "code_digest" is not null and "expires_at" > now()`,
}
/** Locked in one order, so that two pages that are completed at once do not wait for each other. */
export const SPEND = `
with "live" as materialized (select "id" from "verification_token" where "address" = ? and "purpose" = ? order by "id" for update)
delete from "verification_token" where "id" in (select "id" from "live") returning "id"`
export const FIND_LINK = {
  name: 'one-time-token-find-link',
  text: `select ${COLUMNS} from "verification_token" where "link_digest" = $1 and "purpose" = $2 and "expires_at" > now()`,
}
export const SPEND_LINK = `
with "link" as materialized (
  select "id", "address", "purpose" from "verification_token" where "link_digest" = ? and "purpose" = ? and "expires_at" > now()
), "live" as materialized (
  select t."id" from "verification_token" t join "link" l on t."address" = l."address" and t."purpose" = l."purpose" and (t."id" = l."id" or not ?::boolean)
  order by t."id" for update of t
)
delete from "verification_token" where "id" in (select "id" from "live") returning ${COLUMNS}, "link_digest"`

type Digests = Pick<VerificationToken, 'codeDigest' | 'linkDigest'>

/** `expiresAt` is for people: what is stored is the database's. */
export async function store(
  em: EntityManager,
  id: string,
  issue: Issue,
  digests: Digests,
): Promise<Pick<Issued, 'tokenId' | 'expiresAt'>> {
  const {
    purpose,
    subjectId,
    address,
    credentialVersion = 0,
    lifetimeSeconds = LIFETIMES.code,
    page,
  } = issue
  await em.insert(VerificationToken, {
    id,
    purpose,
    pageId: page ?? null,
    subjectId,
    address,
    credentialVersion,
    ...digests,
    createdAt: databaseNow(),
    expiresAt: inSeconds(lifetimeSeconds),
  })
  return { tokenId: page ?? id, expiresAt: new Date(Date.now() + lifetimeSeconds * 1000) }
}

export function proof({
  subject_id: subjectId,
  address,
  credential_version: credentialVersion,
  created_at: issuedAt,
}: Row): Proof {
  return { subjectId, address, credentialVersion, issuedAt: new Date(issuedAt) }
}
