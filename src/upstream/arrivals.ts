import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { LIFETIMES } from '../config/limits.ts'
import type { SecretBox } from '../crypto/secret-box.ts'
import type { EntityManager, Pool } from '../database/database.ts'
import { AppError, ERROR_CODES } from '../errors.ts'

/**
 * Who came back, as the provider says it; judged when it was redeemed. What another version keeps
 * besides is left out.
 */
const Person = z.object({
  issuer: z.string(),
  subject: z.string(),
  email: z.string().optional(),
  emailProven: z.boolean(),
  name: z.string().optional(),
  picture: z.string().optional(),
  amr: z.array(z.string()).readonly(),
  sid: z.string().optional(),
})
/** Why nobody did. */
const Failure = z.object({
  code: z.string(),
  retryAfterSeconds: z.number().optional(),
})
const News = z.union([
  z.object({
    person: Person,
    /** For the app of the API that may redeem it, by its PKCE verifier. */
    app: z.object({ clientId: z.string(), challenge: z.string() }).optional(),
  }),
  z.object({ failure: Failure }),
])

export type UpstreamPerson = z.infer<typeof Person>
export type UpstreamFailure = z.infer<typeof Failure>
export type News = z.infer<typeof News>

export interface Arrival {
  readonly id: string
  readonly providerId: string
  readonly news: News
}

const PUT = {
  name: 'upstream-arrival-put',
  text: `
insert into "upstream_arrival" ("id", "provider_id", "binding", "box", "expires_at")
select $1, "id", $3, $4, now() + $5::int * interval '1 second' from "provider" where "id" = $2 for key share`,
}
const FIND = {
  name: 'upstream-arrival-find',
  text: `select "provider_id" as "providerId", "box" from "upstream_arrival" where "id" = $1 and "binding" = $2 and "expires_at" > now()`,
}
const TAKE = {
  name: 'upstream-arrival-take',
  text: `delete from "upstream_arrival" where "id" = $1 and "binding" = $2 and "expires_at" > now() returning "provider_id" as "providerId", "box"`,
}
const DISCARD = {
  name: 'upstream-arrival-discard',
  text: 'delete from "upstream_arrival" where "id" = $1',
}
const SPEND = 'delete from "upstream_arrival" where "id" = ? and "expires_at" > now() returning 1'

interface Row {
  readonly providerId: string
  readonly box: Buffer
}

/**
 * What was proven at a provider, until the person has decided what it leads to. Who asks has to name
 * the interaction or session that it was begun in.
 */
export class UpstreamArrivals {
  readonly #pool: Pool
  readonly #box: SecretBox

  constructor({ pool, box }: { readonly pool: Pool; readonly box: SecretBox }) {
    this.#pool = pool
    this.#box = box
  }

  /** Throws `method_not_offered` where the provider was deleted just now. */
  async put(
    providerId: string,
    binding: Buffer,
    news: News,
    seconds: number = LIFETIMES.arrival,
  ): Promise<string> {
    const id = randomUUID()
    const box = this.#box.seal(JSON.stringify(news), associated(id))
    const values = [id, providerId, binding, box, seconds]
    const { rowCount } = await this.#pool.query({ ...PUT, values })
    if (rowCount === 0) throw new AppError('method_not_offered')
    return id
  }

  /** One that is looked at, and stays. */
  find(id: string, binding: Buffer): Promise<Arrival | undefined> {
    return this.#read(FIND, id, binding)
  }

  /** One that is over once it was looked at. */
  take(id: string, binding: Buffer): Promise<Arrival | undefined> {
    return this.#read(TAKE, id, binding)
  }

  /** With what it led to; false when another request was faster. */
  async spend(tx: EntityManager, id: string): Promise<boolean> {
    return (await tx.execute<unknown[]>(SPEND, [id])).length > 0
  }

  /** The person goes on without it. */
  async discard(id: string): Promise<void> {
    await this.#pool.query({ ...DISCARD, values: [id] })
  }

  async #read(statement: typeof FIND, id: string, binding: Buffer): Promise<Arrival | undefined> {
    if (!z.uuid().safeParse(id).success) return undefined
    const { rows } = await this.#pool.query<Row>({ ...statement, values: [id, binding] })
    const [row] = rows
    if (!row) return undefined
    const news = News.parse(JSON.parse(this.#box.open(row.box, associated(id)).toString()))
    return { id, providerId: row.providerId, news }
  }
}

/** The refusal that an arrival keeps instead of a person. */
export function refusalOf({ code, retryAfterSeconds }: UpstreamFailure): AppError {
  const known = ERROR_CODES.find((each) => each === code) ?? 'upstream_invalid'
  return new AppError(known, retryAfterSeconds ? { retryAfterSeconds } : {})
}

function associated(id: string): string {
  return `upstream_arrival:${id}`
}
