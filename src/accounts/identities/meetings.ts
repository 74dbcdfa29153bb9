import type { AuditSink } from '../../audit/event.ts'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import type { Pool } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import type { UpstreamPerson } from '../../upstream/arrivals.ts'
import { IS_KEEPABLE } from '../accounts.ts'
import { type CanonicalEmail, canonicalEmail } from '../canonical-email.ts'
import type { FirstProof } from '../first-step.ts'

/** What an arrival leads to: the table of docs/upstream.md. */
export type Meeting =
  | { readonly kind: 'known'; readonly account: FirstProof['account'] }
  /** The address is proven, and nobody has it. */
  | { readonly kind: 'new'; readonly email: CanonicalEmail }
  /** The address is proven, and somebody has it: they have to show that it is them. */
  | { readonly kind: 'connect'; readonly email: CanonicalEmail }
  /** Whatever the provider says of an address, the person has to prove it here. */
  | { readonly kind: 'unproven'; readonly email: CanonicalEmail | undefined }

/** An address alone names nobody: only the identity does. It is noted that it was used. */
const FIND_KNOWN = {
  name: 'identity-find-known',
  text: `
update "identity" i set "last_used_at" = now() from "account" a
where i."provider_id" = $1 and i."issuer" = $2 and i."subject" = $3 and a."id" = i."account_id"
returning a."id", a."email", a."status", a."strongest", a."credential_version" as "credentialVersion",
  i."suspended_at" is null and not a."must_reset_password" and (a."status" = 'active' or ${IS_KEEPABLE}) as "mayComeIn"`,
}
const HAS_ACCOUNT = {
  name: 'identity-has-account',
  text: 'select exists (select from "account" where "email" = $1) as "has"',
}

type Row = FirstProof['account'] & { readonly mayComeIn: boolean }

/** Whom somebody is who comes by a provider. */
export class Meetings {
  readonly #pool: Pool
  readonly #audit: AuditSink

  constructor({ pool, audit }: { readonly pool: Pool; readonly audit: AuditSink }) {
    this.#pool = pool
    this.#audit = audit
  }

  /**
   * Looks at no account where the address is not proven. Throws `invalid_credentials` for an
   * identity or an account that lets nobody in, whatever the reason is.
   */
  async meet(providerId: string, person: UpstreamPerson, origin: RequestOrigin): Promise<Meeting> {
    const { rows } = await this.#pool.query<Row>({
      ...FIND_KNOWN,
      values: [providerId, person.issuer, person.subject],
    })
    const [found] = rows
    if (found) {
      const { mayComeIn, ...account } = found
      if (mayComeIn) return { kind: 'known', account }
      const detail = { factor: 'upstream', provider: providerId, reason: 'account_not_active' }
      const accountId = account.id
      this.#audit.record({ type: 'sign_in', outcome: 'failure', accountId, origin, detail })
      throw new AppError('invalid_credentials')
    }
    const email = person.email === undefined ? undefined : canonicalEmail(person.email)
    return email && person.emailProven ? this.meetAt(email) : { kind: 'unproven', email }
  }

  /** Once the address is proven, there or here. */
  async meetAt(email: CanonicalEmail): Promise<Meeting> {
    const { rows } = await this.#pool.query<{ has: boolean }>({ ...HAS_ACCOUNT, values: [email] })
    return { kind: rows[0]?.has ? 'connect' : 'new', email }
  }
}
