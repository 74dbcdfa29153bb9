import { CAPS, LIFETIMES } from '../config/limits.ts'
import { equal, hmac, randomToken, sha256, sixDigitCode } from '../crypto/token.ts'
import { foldCode } from '../crypto/typed-code.ts'
import type { EntityManager, Pool } from '../database.ts'
import { VerificationToken } from '../entities/index.ts'
import type { TokenPurpose } from '../entities/verification-token.ts'
import { AppError } from '../errors.ts'
import { UUID } from './uuid.ts'

export interface Issue {
  readonly purpose: TokenPurpose
  /** Account or pending sign-up. */
  readonly subjectId: string
  readonly address: string
  readonly credentialVersion?: number
  readonly lifetimeSeconds?: number
  /** Notices each carry a link of their own: a newer one leaves the older in force. */
  readonly keepsOlder?: boolean
}

/** Code and link secret leave in one mail and are stored as digests only. */
export interface Issued {
  readonly tokenId: string
  readonly code: string
  readonly linkSecret: string
  readonly expiresAt: Date
}

/** What a spent token proved. */
export interface Proof {
  readonly tokenId: string
  readonly subjectId: string
  readonly address: string
  readonly credentialVersion: number
  readonly issuedAt: Date
}

interface Row {
  id: string
  subject_id: string
  address: string
  credential_version: number
  created_at: Date
  code_digest?: Buffer | null
}

const COUNT_TRY = `
update "verification_token" set "attempts" = "attempts" + 1
where "id" = $1 and "purpose" = $2 and "expires_at" > now() and "attempts" < ${CAPS.codeTries}
returning "id", "subject_id", "address", "credential_version", "created_at", "code_digest"`
const SPEND = 'delete from "verification_token" where "id" = $1 and "expires_at" > now() returning "id"'
const FIND_LINK = `
select "id", "subject_id", "address", "credential_version", "created_at" from "verification_token"
where "link_digest" = $1 and "purpose" = $2 and "expires_at" > now()`
const SPEND_LINK = `
delete from "verification_token" where "link_digest" = ? and "purpose" = ? and "expires_at" > now()
returning "id", "subject_id", "address", "credential_version", "created_at"`

/** Mailed codes and links: bound to purpose, subject and address; five tries; spent by exactly one caller (EM-01, EM-03). */
export class OneTimeTokens {
  readonly #pool: Pool
  readonly #keys: readonly Buffer[]

  /** `codeKeys`, newest first, digest the codes: six digits alone could be searched in a stolen table. */
  constructor({ pool, codeKeys }: { pool: Pool; codeKeys: readonly Buffer[] }) {
    this.#pool = pool
    this.#keys = codeKeys
  }

  /** Writes in the caller's transaction; older tokens of the same subject and purpose are void. */
  async issue(
    em: EntityManager,
    { purpose, subjectId, address, credentialVersion = 0, lifetimeSeconds = LIFETIMES.code, keepsOlder = false }: Issue,
  ): Promise<Issued> {
    const [key] = this.#keys
    if (!key) throw new Error('no key to digest codes with')
    if (!keepsOlder) await em.nativeDelete(VerificationToken, { subjectId, purpose })
    const issued = {
      tokenId: crypto.randomUUID(),
      code: sixDigitCode(),
      linkSecret: randomToken(),
      expiresAt: new Date(Date.now() + lifetimeSeconds * 1000),
    }
    em.create(VerificationToken, {
      id: issued.tokenId,
      purpose,
      subjectId,
      address,
      credentialVersion,
      codeDigest: hmac(key, `${issued.tokenId}:${issued.code}`),
      linkDigest: sha256(issued.linkSecret),
      expiresAt: issued.expiresAt,
    })
    return issued
  }

  /**
   * Spends a token by its code; the try counts even if the caller's transaction rolls back. `judge` may refuse what the code is for
   * before it is spent. Throws `invalid_code`.
   */
  async redeemCode(
    { tokenId, purpose, code }: { tokenId: string; purpose: TokenPurpose; code: string },
    judge?: (proof: Proof) => Promise<void>,
  ): Promise<Proof> {
    if (!UUID.test(tokenId)) throw new AppError('invalid_code')
    const digits = foldCode(code)
    const { rows } = await this.#pool.query<Row>(COUNT_TRY, [tokenId, purpose])
    const [row] = rows
    const stored = row?.code_digest
    const matches = stored != null && this.#keys.some((key) => equal(hmac(key, `${tokenId}:${digits}`), stored))
    if (!row || !matches) throw new AppError('invalid_code')
    await judge?.(proof(row))
    const { rowCount } = await this.#pool.query(SPEND, [row.id])
    if (!rowCount) throw new AppError('invalid_code')
    return proof(row)
  }

  /** What a link would prove, without spending it: for the page behind the link (EM-04). Throws `invalid_link`. */
  async peekLink({ secret, purpose }: { secret: string; purpose: TokenPurpose }): Promise<Proof> {
    const { rows } = await this.#pool.query<Row>(FIND_LINK, [sha256(secret), purpose])
    if (!rows[0]) throw new AppError('invalid_link')
    return proof(rows[0])
  }

  /** Spends a link in the caller's transaction: what the link is for and its end happen together or not at all. Throws `invalid_link`. */
  async redeemLink(em: EntityManager, { secret, purpose }: { secret: string; purpose: TokenPurpose }): Promise<Proof> {
    const [row] = await em.execute<Row[]>(SPEND_LINK, [sha256(secret), purpose])
    if (!row) throw new AppError('invalid_link')
    return proof(row)
  }

  /** The token in force for a subject, if there is one: what a caller keeps when no new mail may be sent. */
  async current(em: EntityManager, subjectId: string, purpose: TokenPurpose): Promise<string | undefined> {
    const token = await em.findOne(
      VerificationToken,
      { subjectId, purpose, expiresAt: { $gt: new Date() }, attempts: { $lt: CAPS.codeTries } },
      { orderBy: { createdAt: 'desc' } },
    )
    return token?.id
  }

  /**
   * Who holds the tokens of an address that has nobody: they are issued and kept like all others, so that neither ids nor time
   * tell the addresses apart, but their codes are never mailed (EN-01, EN-02).
   */
  decoySubject(address: string): string {
    const [key] = this.#keys
    if (!key) throw new Error('no key to derive from')
    const hex = hmac(key, `nobody:${address}`).toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
  }

  /** Voids what was mailed to a subject for one purpose. */
  async voidLinks(em: EntityManager, subjectId: string, purpose: TokenPurpose): Promise<void> {
    await em.nativeDelete(VerificationToken, { subjectId, purpose })
  }

  /** Voids everything that is pending for a subject. */
  async voidAll(em: EntityManager, subjectId: string): Promise<void> {
    await em.nativeDelete(VerificationToken, { subjectId })
  }
}

function proof(row: Row): Proof {
  const { id, subject_id: subjectId, address, credential_version: credentialVersion, created_at: issuedAt } = row
  return { tokenId: id, subjectId, address, credentialVersion, issuedAt: new Date(issuedAt) }
}
