import { sha256 } from '../crypto/token.ts'
import type { EntityManager } from '../database/database.ts'
import { IS_KEEPABLE } from './accounts.ts'
import type { CanonicalEmail } from './canonical-email.ts'

/** Who has an address, as far as a mail to it must know. */
export interface Addressee {
  readonly id: string
  readonly name: string
  readonly locale: string | null
  readonly isActive: boolean
  /** Nobody signs in before the password is reset. */
  readonly mustResetPassword: boolean
  /** When it is erased, if its owner may still keep it. */
  readonly deletesAtMs: number | null
  readonly credentialVersion: number
  /** Set if the browser that asks is one of theirs: what it may ask for is counted apart from strangers. */
  readonly asker: string | null
}

const FIND = `
select a."id", a."name", a."locale", a."status" = 'active' as "isActive", a."must_reset_password" as "mustResetPassword",
  case when ${IS_KEEPABLE} then extract(epoch from a."delete_after")::float8 * 1000 end as "deletesAtMs", a."credential_version" as "credentialVersion",
  'device:' || encode(d."digest", 'hex') as "asker"
from (values (1)) as "always" left join "account" as a on a."email" = ? left join "known_device" as d on d."digest" = ? and d."account_id" = a."id"`

/**
 * The account of an address, if there is one. One row of scalars in either case: making an entity,
 * and looking it over at every flush, takes time by which known addresses could be told (EN-02).
 */
export async function findAddressee(
  em: EntityManager,
  email: CanonicalEmail,
  device?: string,
): Promise<Addressee | undefined> {
  const [row] = await em.execute<{ [Name in keyof Addressee]: Addressee[Name] | null }[]>(FIND, [
    email,
    device ? sha256(device) : null,
  ])
  return row?.id == null ? undefined : (row as Addressee)
}
