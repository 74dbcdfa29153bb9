import type { EntityManager } from '../database.ts'
import type { CanonicalEmail } from './canonical-email.ts'

/** Who has an address, as far as a mail to it must know. */
export interface Addressee {
  readonly id: string
  readonly name: string
  readonly locale: string | null
  readonly isActive: boolean
  readonly credentialVersion: number
}

const FIND = `
select a."id", a."name", a."locale", a."status" = 'active' as "isActive", a."credential_version" as "credentialVersion"
from (values (1)) as "always" left join "account" as a on a."email" = ?`

/**
 * The account of an address, if there is one. One row of scalars in either case: making an entity, and looking it over at every
 * flush, takes time by which known addresses could be told (EN-02).
 */
export async function findAddressee(em: EntityManager, email: CanonicalEmail): Promise<Addressee | undefined> {
  const [row] = await em.execute<{ [Name in keyof Addressee]: Addressee[Name] | null }[]>(FIND, [email])
  return row?.id == null ? undefined : (row as Addressee)
}
