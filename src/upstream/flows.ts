import { z } from 'zod'
import { LIFETIMES } from '../config/limits.ts'
import type { SecretBox } from '../crypto/secret-box.ts'
import { sha256 } from '../crypto/token.ts'
import type { Pool } from '../database/database.ts'
import type { UpstreamPurpose } from '../entities/upstream-flow.ts'
import { AppError } from '../errors.ts'

/** What has to be known again when the person comes back. Open: another version may have more. */
const Kept = z.looseObject({
  nonce: z.string(),
  verifier: z.string(),
  /** A path of ours, where the arrival is waited for. */
  goOn: z.string(),
  /** In seconds: no sign-in over there that is older will do. */
  signedInAfter: z.number().optional(),
})
export type Kept = z.infer<typeof Kept>

export interface Flow {
  readonly state: string
  readonly providerId: string
  readonly purpose: UpstreamPurpose
  readonly binding: Buffer
  /** The cookie of the browser that began it. */
  readonly browser: string
  readonly kept: Kept
}

const BEGIN = {
  name: 'upstream-flow-begin',
  text: `
insert into "upstream_flow" ("state_digest", "provider_id", "purpose", "binding", "browser_digest", "box", "expires_at")
select $1, "id", $3, $4, $5, $6, now() + $7::int * interval '1 second' from "provider" where "id" = $2 for key share`,
}
/** State, provider and browser must all be those of one flow (UP-03, UP-06, UP-07). */
const SPEND = {
  name: 'upstream-flow-spend',
  text: `
delete from "upstream_flow" where "state_digest" = $1 and "provider_id" = $2 and "browser_digest" = $3
returning "purpose", "binding", "box", "expires_at" > now() as "isAlive"`,
}

interface Row {
  readonly purpose: UpstreamPurpose
  readonly binding: Buffer
  readonly box: Buffer
  readonly isAlive: boolean
}

/** Those who are away at a provider. */
export class UpstreamFlows {
  readonly #pool: Pool
  readonly #box: SecretBox

  constructor({ pool, box }: { readonly pool: Pool; readonly box: SecretBox }) {
    this.#pool = pool
    this.#box = box
  }

  /** Throws `method_not_offered` where the provider was deleted just now. */
  async begin({ state, providerId, purpose, binding, browser, kept }: Flow): Promise<void> {
    const box = this.#box.seal(JSON.stringify(kept), associated(sha256(state)))
    const values = [sha256(state), providerId, purpose, binding, sha256(browser), box]
    const { rowCount } = await this.#pool.query({
      ...BEGIN,
      values: [...values, LIFETIMES.upstreamFlow],
    })
    if (rowCount === 0) throw new AppError('method_not_offered')
  }

  /** The flow that comes back, once; undefined for what is unknown, foreign, spent or too old. */
  async spend(
    providerId: string,
    { state, browser }: { readonly state: string; readonly browser: string },
  ): Promise<Omit<Flow, 'browser'> | undefined> {
    const digest = sha256(state)
    const { rows } = await this.#pool.query<Row>({
      ...SPEND,
      values: [digest, providerId, sha256(browser)],
    })
    const [row] = rows
    if (!row?.isAlive) return undefined
    const { purpose, binding } = row
    const kept = Kept.parse(JSON.parse(this.#box.open(row.box, associated(digest)).toString()))
    return { state, providerId, purpose, binding, kept }
  }
}

/** Names what a flow belongs to, such as an interaction: the table keeps a digest of it. */
export function bindingTo(what: 'interaction' | 'session' | 'api' | 'code', id: string): Buffer {
  return sha256(`${what}:${id}`)
}

function associated(stateDigest: Buffer): string {
  return `upstream_flow:${stateDigest.toString('hex')}`
}
