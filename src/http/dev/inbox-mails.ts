import type { SecretBox } from '../../crypto/secret-box.ts'
import type { Pool } from '../../database/database.ts'
import { readMail } from '../../mail/handler.ts'
import type { Mail } from '../../mail/mailer.ts'

export interface InboxMail extends Mail {
  readonly id: string
  /** RFC 3339, UTC. */
  readonly createdAt: string
}

interface Row {
  id: string
  body_box: Buffer
  created_ms: number
}

const MOST = 200
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const COLUMNS =
  '"id", "body_box", (extract(epoch from "created_at") * 1000)::float8 as "created_ms"'
const LIST = `select ${COLUMNS} from "outbox_message" where "topic" = 'mail' and ("about_id" is null or "created_at" <= now()) order by "created_at" desc, "id" limit ${MOST}`
const FIND = `select ${COLUMNS} from "outbox_message" where "topic" = 'mail' and "id" = $1`
const CLEAR = `delete from "outbox_message" where "topic" = 'mail'`

/** Mail in the outbox, delivered or not, in clear; what is planned for later is not there yet. */
export class InboxMails {
  readonly #pool: Pool
  readonly #box: SecretBox

  constructor({ pool, box }: { readonly pool: Pool; readonly box: SecretBox }) {
    this.#pool = pool
    this.#box = box
  }

  /** Newest first: of the newest 200, those whose address has `to` in it. */
  async list(to = ''): Promise<InboxMail[]> {
    const { rows } = await this.#pool.query<Row>(LIST)
    const wanted = to.trim().toLowerCase()
    return rows
      .flatMap((row) => this.#open(row) ?? [])
      .filter((mail) => mail.to.toLowerCase().includes(wanted))
  }

  async find(id: string): Promise<InboxMail | undefined> {
    if (!UUID.test(id)) return undefined
    const { rows } = await this.#pool.query<Row>(FIND, [id])
    return rows[0] && this.#open(rows[0])
  }

  async clear(): Promise<void> {
    await this.#pool.query(CLEAR)
  }

  /** Undefined for mail of an earlier key, after `DATA_DIR` lost its secrets. */
  #open({ id, body_box: bodyBox, created_ms: createdMs }: Row): InboxMail | undefined {
    try {
      const mail = readMail(JSON.parse(this.#box.open(bodyBox, id).toString('utf8')))
      return mail && { id, ...mail, createdAt: new Date(createdMs).toISOString() }
    } catch {
      return undefined
    }
  }
}
