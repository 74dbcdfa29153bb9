import type { SecretBox } from '../crypto/secret-box.ts'
import type { Pool } from '../database/database.ts'

const NIL_UUID = '00000000-0000-0000-0000-000000000000'

/**
 * Every column that `KEY_ENCRYPTION_KEYS` encrypt, with the table's key and, in SQL, what the box was
 * sealed with (its associated data).
 */
const SEALED = [
  {
    what: 'private signing keys',
    table: 'signing_key',
    id: 'kid',
    box: 'private_box',
    aad: '"kid"',
    before: '',
  },
  {
    what: 'seeds of one-time codes',
    table: 'totp_credential',
    id: 'id',
    box: 'secret_box',
    aad: '"account_id"',
    before: NIL_UUID,
  },
  {
    what: 'messages',
    table: 'outbox_message',
    id: 'id',
    box: 'body_box',
    aad: '"id"',
    before: NIL_UUID,
  },
  {
    what: 'secrets for providers',
    table: 'provider',
    id: 'id',
    box: 'secret_box',
    aad: `'provider:' || "id"`,
    before: '',
  },
  {
    what: 'people away at providers',
    table: 'upstream_flow',
    id: 'state_digest',
    box: 'box',
    aad: `'upstream_flow:' || encode("state_digest", 'hex')`,
    before: Buffer.alloc(0),
  },
  {
    what: 'arrivals from providers',
    table: 'upstream_arrival',
    id: 'id',
    box: 'box',
    aad: `'upstream_arrival:' || "id"`,
    before: NIL_UUID,
  },
] as const

const BATCH = 500

interface Row {
  readonly id: string | Buffer
  readonly aad: string
  readonly box: Buffer
}

/**
 * Puts what an older key-encryption key has sealed under the newest one, so that the older may go
 * (CF-04). A row that changes meanwhile is left to the one that changed it, which sealed it with the
 * newest. Returns how many were sealed anew, by what they are.
 */
export async function reseal(pool: Pool, box: SecretBox): Promise<ReadonlyMap<string, number>> {
  const done = new Map<string, number>()
  for (const sealed of SEALED) done.set(sealed.what, await resealTable(pool, box, sealed))
  return done
}

async function resealTable(
  pool: Pool,
  box: SecretBox,
  { table, id, box: column, aad, before }: (typeof SEALED)[number],
): Promise<number> {
  const next = `select "${id}" as "id", ${aad} as "aad", "${column}" as "box" from "${table}"
    where "${id}" > $1 and "${column}" is not null order by "${id}" limit ${BATCH}`
  const replace = `update "${table}" set "${column}" = $3 where "${id}" = $1 and "${column}" = $2`
  let count = 0
  for (let last: Row['id'] = before; ; ) {
    const { rows } = await pool.query<Row>(next, [last])
    for (const row of rows.filter((each) => !box.isCurrent(each.box))) {
      const { rowCount } = await pool.query(replace, [
        row.id,
        row.box,
        box.seal(box.open(row.box, row.aad), row.aad),
      ])
      count += rowCount ?? 0
    }
    if (rows.length < BATCH) return count
    last = rows.at(-1)?.id ?? last
  }
}
