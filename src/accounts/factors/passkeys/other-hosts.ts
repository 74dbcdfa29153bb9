import type { EntityManager } from '../../../database/database.ts'

const OTHERS = `
select "rp_id" as "host", count(*)::int as "passkeys" from "passkey"
where "rp_id" <> ? group by 1 order by 2 desc, 1 limit 10`

/** Passkeys that were made for another host than this one: browsers do not offer them here. */
export function passkeysOfOtherHosts(
  em: EntityManager,
  host: string,
): Promise<{ host: string; passkeys: number }[]> {
  return em.execute(OTHERS, [host])
}
