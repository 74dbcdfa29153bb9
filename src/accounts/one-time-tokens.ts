import { type KeyObject, randomUUID } from 'node:crypto'
import { CAPS } from '../config/limits.ts'
import { equal, hmac, randomToken, sha256, sixDigitCode } from '../crypto/token.ts'
import { foldCode } from '../crypto/typed-code.ts'
import { databaseNow } from '../database/clock.ts'
import type { EntityManager, Pool } from '../database/database.ts'
import { VerificationToken } from '../entities/index.ts'
import type { TokenPurpose } from '../entities/verification-token.ts'
import { AppError } from '../errors.ts'
import type { Attempts } from './factors/attempts.ts'
import { codeSubject } from './factors/counter-subjects.ts'
import {
  FIND_LINK,
  FIND_OTHERS,
  type Issue,
  type Issued,
  type Proof,
  proof,
  type Row,
  SPEND,
  SPEND_LINK,
  store,
  TRY_OWN,
} from './one-time-token-rows.ts'
import { UUID } from './uuid.ts'

export type { Issue, Issued, Proof }

/** A code as it was typed into a page. */
export interface TypedCode {
  readonly tokenId: string
  readonly purpose: TokenPurpose
  readonly code: string
  /** Canonical; none is never right. */
  readonly address: string | undefined
  /** Whose page it must be, where the caller knows. */
  readonly subjectId?: string
}

/** A code that was right, for the page that it was typed into. It is not spent yet. */
export interface RightCode {
  readonly id: string
  readonly purpose: TokenPurpose
  readonly proof: Proof
}

/** What is mailed once for each event: using one leaves the others good. */
const NOTICES: readonly TokenPurpose[] = ['undo_change_email', 'undo_delete', 'report_compromise']

/** What lets a person in, or nearly so: its code is for the page that asked, in that browser alone. */
const BOUND: readonly TokenPurpose[] = ['recover']

/**
 * Mailed codes and links: bound to purpose, subject and address, and spent by exactly one caller
 * (EM-01). Nobody else's request voids one, and any code of an address and purpose is good in every
 * page that waits for one: the page that asked for it has five tries of its own, all others share
 * five (EM-03, RL-06).
 */
export class OneTimeTokens {
  readonly #pool: Pool
  readonly #keys: readonly KeyObject[]
  readonly #attempts: Attempts

  /** `codeKeys`, newest first, digest the codes: six digits alone could be searched in a stolen table. */
  constructor({
    pool,
    codeKeys,
    attempts,
  }: { pool: Pool; codeKeys: readonly KeyObject[]; attempts: Attempts }) {
    this.#pool = pool
    this.#keys = codeKeys
    this.#attempts = attempts
  }

  /** Writes in the caller's transaction. */
  async issue(em: EntityManager, issue: Issue): Promise<Issued> {
    const [key] = this.#keys
    if (!key) throw new Error('no key to digest codes with')
    const [id, code, linkSecret] = [randomUUID(), sixDigitCode(), randomToken()]
    const digests = { codeDigest: hmac(key, `${id}:${code}`), linkDigest: sha256(linkSecret) }
    return { ...(await store(em, id, issue, digests)), code, linkSecret }
  }

  /** For a page whose mail may not be sent now: it takes the codes of other mails to the address. */
  async openPage(em: EntityManager, issue: Issue): Promise<Pick<Issued, 'tokenId'>> {
    return store(em, randomUUID(), issue, { codeDigest: null, linkDigest: null })
  }

  /** Judges a code; the try counts even if what follows fails. Throws `invalid_code`. */
  async judge({ tokenId, purpose, code, address, subjectId }: TypedCode): Promise<RightCode> {
    if (!address || !UUID.test(tokenId) || !UUID.test(subjectId ?? tokenId))
      throw new AppError('invalid_code')
    const isBound = BOUND.includes(purpose)
    const subject = codeSubject(purpose, address)
    if (isBound && !(await this.#attempts.admits(subject, 'mailed-code')))
      throw new AppError('invalid_code')
    const { rows: own } = await this.#pool.query<Row>({
      ...TRY_OWN,
      values: [address, purpose, tokenId, subjectId ?? null],
    })
    const [page] = own
    if (!page) throw new AppError('invalid_code')
    const digits = foldCode(code)
    const asked = own.find((row) => row.attempts <= CAPS.codeTries && this.#isCodeOf(row, digits))
    if (asked) {
      if (isBound) await this.#attempts.takeBack(subject)
      return { id: asked.id, purpose, proof: proof(asked) }
    }
    if (isBound || !(await this.#attempts.admits(subject))) throw new AppError('invalid_code')
    const { rows: others } = await this.#pool.query<Row>({
      ...FIND_OTHERS,
      values: [address, purpose, own.map(({ id }) => id)],
    })
    const found = others.find((row) => this.#isCodeOf(row, digits))
    if (!found) throw new AppError('invalid_code')
    return { id: found.id, purpose, proof: proof(page) }
  }

  /**
   * Spends a code in the caller's transaction, and with it all others of its purpose and address.
   * Throws `invalid_code`.
   */
  async spend(em: EntityManager, { id, purpose, proof: { address } }: RightCode): Promise<void> {
    const spent = await em.execute<{ id: string }[]>(SPEND, [address, purpose])
    if (!spent.some((row) => row.id === id)) throw new AppError('invalid_code')
  }

  /**
   * What a link would prove, without spending it: for the page behind the link (EM-04). Throws
   * `invalid_link`.
   */
  async peekLink({ secret, purpose }: { secret: string; purpose: TokenPurpose }): Promise<Proof> {
    const { rows } = await this.#pool.query<Row>({
      ...FIND_LINK,
      values: [sha256(secret), purpose],
    })
    if (!rows[0]) throw new AppError('invalid_link')
    return proof(rows[0])
  }

  /** Spends a link like a code. Throws `invalid_link`. */
  async redeemLink(
    em: EntityManager,
    { secret, purpose }: { secret: string; purpose: TokenPurpose },
  ): Promise<Proof> {
    const digest = sha256(secret)
    const spent = await em.execute<(Row & { link_digest: Buffer | null })[]>(SPEND_LINK, [
      digest,
      purpose,
      NOTICES.includes(purpose),
    ])
    const link = spent.find((row) => row.link_digest?.equals(digest))
    if (!link) throw new AppError('invalid_link')
    return proof(link)
  }

  /** The page that waits for a code of this subject, if there is one whose code has tries left. */
  async current(
    em: EntityManager,
    subjectId: string,
    purpose: TokenPurpose,
  ): Promise<string | undefined> {
    const token = await em.findOne(
      VerificationToken,
      {
        subjectId,
        purpose,
        codeDigest: { $ne: null },
        expiresAt: { $gt: databaseNow() },
        attempts: { $lt: CAPS.codeTries },
      },
      { orderBy: { createdAt: 'desc' } },
    )
    return token?.pageId ?? token?.id
  }

  /**
   * Who holds the tokens of an address that has nobody: they are kept like all others, and their
   * codes are never mailed (EN-01, EN-02).
   */
  decoySubject(address: string): string {
    const [key] = this.#keys
    if (!key) throw new Error('no key to derive from')
    const hex = hmac(key, `nobody:${address}`).toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
  }

  /** Voids what was mailed to a subject, for one purpose or for all. */
  async voidAll(em: EntityManager, subjectId: string, purpose?: TokenPurpose): Promise<void> {
    await em.nativeDelete(VerificationToken, { subjectId, ...(purpose ? { purpose } : {}) })
  }

  #isCodeOf({ id, code_digest: stored }: Row, digits: string): boolean {
    return stored != null && this.#keys.some((key) => equal(hmac(key, `${id}:${digits}`), stored))
  }
}
