import type { AuditSink } from '../audit/event.ts'
import type { EntityManager, Pool } from '../database/database.ts'
import { Consent } from '../entities/index.ts'

export interface Allowed {
  readonly scopes: readonly string[]
  readonly resourceScopes: Readonly<Record<string, readonly string[]>>
  /** Of the person, asked for one by one. */
  readonly claims: readonly string[]
}

/** On the path of an authorization request: prepared, and whole as JSON. */
const FIND = {
  name: 'consent-find',
  text: `select json_build_object('scopes', "scopes", 'resourceScopes', "resource_scopes", 'claims', "claims")::text as "consent" from "consent" where "account_id" = $1 and "client_id" = $2`,
}

/** What accounts allowed apps, across sessions and grants. */
export class Consents {
  readonly #em: EntityManager
  readonly #pool: Pool
  readonly #audit: AuditSink

  constructor({ em, pool, audit }: { em: EntityManager; pool: Pool; audit: AuditSink }) {
    this.#em = em
    this.#pool = pool
    this.#audit = audit
  }

  async find(accountId: string, clientId: string): Promise<Allowed | undefined> {
    const { rows } = await this.#pool.query<{ consent: string }>({
      ...FIND,
      values: [accountId, clientId],
    })
    return rows[0] && (JSON.parse(rows[0].consent) as Allowed)
  }

  /** Every app that the account has allowed something, by name. */
  async list(accountId: string): Promise<Consent[]> {
    return this.#em
      .fork()
      .find(
        Consent,
        { account: accountId },
        { populate: ['client'], orderBy: { client: { name: 'asc' } } },
      )
  }

  /**
   * What was allowed before stays, also what another tab allows at this moment: the upsert holds
   * the row until the union is stored.
   */
  async add(accountId: string, clientId: string, added: Allowed): Promise<void> {
    const key = { account: accountId, client: clientId }
    const now = new Date()
    const allowed = await this.#em.fork().transactional(async (tx) => {
      await tx.upsert(
        Consent,
        { ...key, scopes: [], resourceScopes: {}, claims: [], grantedAt: now, updatedAt: now },
        {
          onConflictFields: ['account', 'client'],
          onConflictAction: 'merge',
          onConflictMergeFields: ['updatedAt'],
        },
      )
      const consent = await tx.findOneOrFail(Consent, key, { refresh: true })
      const both = union(consent, added)
      consent.scopes = both.scopes
      consent.resourceScopes = both.resourceScopes
      consent.claims = both.claims
      return both
    })
    const { claims } = allowed
    const detail = {
      scopes: [...allowed.scopes, ...Object.values(allowed.resourceScopes).flat()],
      ...(claims.length > 0 && { claims }),
    }
    this.#audit.record({ type: 'consent_granted', accountId, clientId, detail })
  }

  /** False if there was nothing to take back. */
  async revoke(accountId: string, clientId: string): Promise<boolean> {
    const isRevoked =
      (await this.#em.fork().nativeDelete(Consent, { account: accountId, client: clientId })) > 0
    if (isRevoked) this.#audit.record({ type: 'consent_revoked', accountId, clientId })
    return isRevoked
  }

  /** The person said no; nothing changes. */
  denied(accountId: string, clientId: string): void {
    this.#audit.record({ type: 'consent_denied', accountId, clientId })
  }
}

function union(
  before: Allowed,
  added: Allowed,
): { scopes: string[]; resourceScopes: Record<string, string[]>; claims: string[] } {
  const merged = (a: readonly string[] = [], b: readonly string[] = []): string[] => [
    ...new Set([...a, ...b]),
  ]
  const indicators = merged(Object.keys(before.resourceScopes), Object.keys(added.resourceScopes))
  const resourceScopes = Object.fromEntries(
    indicators.map((key) => [key, merged(before.resourceScopes[key], added.resourceScopes[key])]),
  )
  return {
    scopes: merged(before.scopes, added.scopes),
    resourceScopes,
    claims: merged(before.claims, added.claims),
  }
}
