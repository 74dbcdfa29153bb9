import { randomUUID } from 'node:crypto'
import { LIFETIMES } from '../config/limits.ts'
import type { PasswordHasher } from '../crypto/password.ts'
import { databaseNow, inSeconds } from '../database/clock.ts'
import type { EntityManager } from '../database/database.ts'
import { PendingSignUp } from '../entities/index.ts'
import type { CanonicalEmail } from './canonical-email.ts'
import type { CheckedAccount, NewAccount } from './new-account.ts'

/** In place of a hash: the account starts without a password, and forgot-password sets one. */
export const NO_PASSWORD = ''

/** What is kept of a password, or in place of one. */
export async function hashOf(hasher: PasswordHasher, password: string | null): Promise<string> {
  return password === null ? NO_PASSWORD : hasher.hash(password)
}

/** What a mail about a sign-up must know of it. */
export type Pending = Pick<PendingSignUp, 'id' | 'email' | 'name' | 'locale'>

/** Until the address is proven. */
export async function keepPending(
  em: EntityManager,
  { email, cleanName }: CheckedAccount,
  { locale, clientId, invitation, termsVersion }: NewAccount,
  passwordHash: string,
): Promise<Pending> {
  const pending = { id: randomUUID(), email, name: cleanName, locale: locale ?? null }
  await em.insert(PendingSignUp, {
    ...pending,
    passwordHash,
    clientId: clientId ?? null,
    invitationId: invitation ?? null,
    termsVersion: termsVersion ?? null,
    createdAt: databaseNow(),
    expiresAt: inSeconds(LIFETIMES.pendingSignUp),
  })
  return pending
}

/** Scalars, and the same statement whether anybody has signed up or not (EN-02). */
const FIND_FOR_RESEND = `
with "live" as materialized (
  select "id", "email", "name", "locale", "password_hash", "client_id", "invitation_id", "created_at", "expires_at" from "pending_sign_up" where "email" = ? and "expires_at" > now()
), "made" as (
  insert into "pending_sign_up" ("id", "email", "name", "locale", "password_hash", "client_id", "invitation_id", "created_at", "expires_at")
  select ?::uuid, "email", "name", "locale", '${NO_PASSWORD}', "client_id", "invitation_id", now(), "expires_at" from "live"
  where (select count(*) from "live") > 1 and not exists (select from "live" where "password_hash" = '${NO_PASSWORD}')
  order by "created_at" desc limit 1
  returning "id", "email", "name", "locale"
)
select "id", "email", "name", "locale" from "made"
union all (select "id", "email", "name", "locale" from "live" where "password_hash" = '${NO_PASSWORD}' limit 1)
union all (select "id", "email", "name", "locale" from "live" where (select count(*) from "live") = 1)
limit 1`

/**
 * The sign-up of a request that names nothing but an address. If several people have signed up with
 * it, it is none of theirs but one more, without a password: nobody's password is put in force by
 * another's code, and none is taken from who typed it (EM-11).
 */
export async function findForResend(
  em: EntityManager,
  email: CanonicalEmail,
): Promise<Pending | undefined> {
  const [found] = await em.execute<Pending[]>(FIND_FOR_RESEND, [email, randomUUID()])
  return found
}
