import { LockMode } from '@mikro-orm/core'
import { z } from 'zod'
import type { EntityManager } from '../database/database.ts'
import { Client } from '../entities/index.ts'
import { announce } from '../feed/changes.ts'
import {
  type DeliveryPolicy,
  type Handler,
  type Outbox,
  PermanentFailure,
  TemporaryFailure,
} from '../outbox/index.ts'
import type { Fetch } from '../outgoing/guarded-fetch.ts'
import { fetchPicture, keepPicture, type PictureBytes } from './pictures.ts'
import { refused } from './reasons.ts'

/** A logo that cannot be had within some hours is given up; the tile goes on showing an initial. */
export const LOGO_POLICY: Partial<DeliveryPolicy> = { maxAttempts: 5, maxAgeMs: 6 * 3_600_000 }

const Due = z.strictObject({ clientId: z.string(), uri: z.string() })

/** The `returning` of one statement: the caller that sets the time queues the logo, and no other. */
const CLAIM_MISSING = `
update "client" set "logo_queued_at" = now()
where "logo_digest" is null and "logo_queued_at" is null and "metadata"->>'logo_uri' is not null
returning "id"::text as "clientId", "metadata"->>'logo_uri' as "uri"`

export interface LogosDeps {
  readonly em: EntityManager
  readonly outbox: Outbox
  /** Guarded, and bounded to the size of a picture. */
  readonly fetch: Fetch
}

/** Copies of clients' logos: fetched when a client is registered, never when a page is drawn (CL-03). */
export class Logos {
  readonly #deps: LogosDeps

  constructor(deps: LogosDeps) {
    this.#deps = deps
  }

  /**
   * Before the transaction that stores it with `keepPicture`. Throws `invalid_input` with the
   * reason, so that the operator corrects it.
   */
  async fetch(uri: string | undefined): Promise<PictureBytes | undefined> {
    if (uri === undefined) return undefined
    const fetched = await fetchPicture(this.#deps.fetch, uri)
    if ('fault' in fetched)
      throw refused({ logoUri: { code: 'bad_picture', values: { why: fetched.fault } } })
    return fetched
  }

  /** Queues the logos of clients that were registered before logos were copied. Answers how many. */
  async queueMissing(): Promise<number> {
    const { em, outbox } = this.#deps
    return em.fork().transactional(async (tx) => {
      const due = await tx.execute<z.infer<typeof Due>[]>(CLAIM_MISSING)
      for (const message of due) outbox.enqueue(tx, 'client_logo', message)
      return due.length
    })
  }

  /** Delivers the outbox's topic `client_logo`. */
  readonly handler: Handler = async (body, { signal }) => {
    const due = Due.safeParse(body)
    if (!due.success) throw new PermanentFailure('the message names no logo')
    const { clientId, uri } = due.data
    const fetched = await fetchPicture(this.#deps.fetch, uri, signal)
    if ('fault' in fetched)
      throw fetched.isFinal
        ? new PermanentFailure(`the logo ${fetched.fault}`)
        : new TemporaryFailure(`the logo ${fetched.fault}`)
    await this.#deps.em.fork().transactional(async (tx) => {
      const client = await tx.findOne(
        Client,
        { id: clientId },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      )
      if (!client || client.logo || client.metadata['logo_uri'] !== uri) return
      client.logo = await keepPicture(tx, fetched)
      await announce(tx, { kind: 'client', id: clientId })
    })
  }
}
