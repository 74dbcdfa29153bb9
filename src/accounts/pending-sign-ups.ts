import type { EntityManager } from '../database.ts'
import type { PendingSignUp } from '../entities/index.ts'
import type { CanonicalEmail } from './canonical-email.ts'

/** In place of a hash: the account starts without a password, and forgot-password sets one. */
export const NO_PASSWORD = ''

/** What a mail about a sign-up must know of it. */
export type Pending = Pick<PendingSignUp, 'id' | 'email' | 'name' | 'locale'>

/** Scalars, and the same statements whether anybody has signed up or not (EN-02). */
const NEWEST = `
select "id", "email", "name", "locale" from "pending_sign_up" where "email" = ? and "expires_at" > now() order by "created_at" desc limit 1`
const FORGET_PASSWORDS = `
update "pending_sign_up" set "password_hash" = '${NO_PASSWORD}' where "email" = ?
and (select count(*) from "pending_sign_up" where "email" = ? and "expires_at" > now()) > 1`

/** The sign-up that asks for another code. If several people have signed up with the address, none of their passwords will be in force (EM-11). */
export async function findForResend(em: EntityManager, email: CanonicalEmail): Promise<Pending | undefined> {
  await em.execute(FORGET_PASSWORDS, [email, email])
  const [newest] = await em.execute<Pending[]>(NEWEST, [email])
  return newest
}
