import { randomUUID } from 'node:crypto'
import type { RequestOrigin } from '../audit/request-origin.ts'
import { LIFETIMES } from '../config/limits.ts'
import { sha256 } from '../crypto/token.ts'
import type { EntityManager } from '../database/database.ts'
import type { TokenPurpose } from '../entities/verification-token.ts'
import type { ClosedState } from '../mail/closed-account.ts'
import type { Envelope } from '../mail/post.ts'
import type { Providers } from '../upstream/providers.ts'
import { type Addressee, findAddressee } from './addressee.ts'
import { type CanonicalEmail, requireEmail } from './canonical-email.ts'
import type { KeepLinks } from './keep-links.ts'
import type { Issue, Issued, OneTimeTokens } from './one-time-tokens.ts'

/** Who asks: the browser, if it is known, and its page, if it has asked before. */
export interface Asker {
  readonly device?: string | undefined
  readonly page?: string | undefined
}

export interface WantedCode {
  readonly purpose: TokenPurpose
  /** As it was typed. */
  readonly email: string
  readonly origin: RequestOrigin
  readonly asker?: Asker | undefined
  /** Where it is typed: then it is good in the page that asked and in no other. */
  readonly binding?: string
}

/** The page that waits for the code. */
export interface StartedCode {
  readonly tokenId: string
  readonly expiresInSeconds: number
}

type Send = (
  tx: EntityManager,
  mail: Envelope & { issued: () => Promise<Issued>; closed: ClosedState },
  whom: { readonly addressee: Addressee | undefined; readonly subjectId: string },
) => Promise<Issued | undefined>

export interface CodesByAddressDeps {
  readonly em: EntityManager
  readonly tokens: OneTimeTokens
  readonly keepLinks: KeepLinks
  readonly providers: Pick<Providers, 'enforcing'>
}

/**
 * Codes that anybody asks for by an address, known or not. Answers alike for every address, and
 * changes nothing by itself.
 */
export class CodesByAddress {
  readonly #em: EntityManager
  readonly #tokens: OneTimeTokens
  readonly #keepLinks: KeepLinks
  readonly #providers: CodesByAddressDeps['providers']

  constructor(deps: CodesByAddressDeps) {
    this.#em = deps.em
    this.#tokens = deps.tokens
    this.#keepLinks = deps.keepLinks
    this.#providers = deps.providers
  }

  /** `whose` is for the audit trail. Throws `invalid_input` for what is no address. */
  async mail(
    { purpose, email: submitted, origin, binding, asker = {} }: WantedCode,
    send: Send,
  ): Promise<{ whose: { accountId: string } | { address: string }; started: StartedCode }> {
    const tokens = this.#tokens
    const email = requireEmail(submitted)
    const { device, page = binding === undefined ? undefined : randomUUID() } = asker
    // It is of the domain, so it says nothing of the address. Nobody is told the code.
    const elsewhere = await this.#providers.enforcing(email)
    return this.#em.fork().transactional(async (em) => {
      const addressee = await findAddressee(em, email, device)
      const account = addressee?.isActive ? addressee : undefined
      const nobody = tokens.decoySubject(email)
      const issue: Issue = {
        purpose,
        subjectId: account?.id ?? nobody,
        address: binding && page ? placeOf(email, binding, page) : email,
        credentialVersion: account?.credentialVersion ?? 0,
        page,
      }
      const mail = {
        to: email,
        name: addressee?.name,
        locale: addressee?.locale ?? undefined,
        origin,
        asker: addressee?.asker,
        isDecoy: !addressee,
        closed: async () =>
          (await this.#keepLinks.closedState(em, addressee, email)) ??
          (elsewhere && { elsewhere: elsewhere.name }),
        issued: () => tokens.issue(em, issue),
      }
      const issued = await send(em, mail, { addressee, subjectId: issue.subjectId })
      const { tokenId } = issued ?? (await tokens.openPage(em, issue))
      return {
        whose: account ? { accountId: account.id } : { address: email },
        started: { tokenId, expiresInSeconds: LIFETIMES.code },
      }
    })
  }
}

/** In the place of an address, for a code that is good in one page only. */
export function placeOf(email: CanonicalEmail, binding: string, page: string): string {
  return sha256(`${binding}:${page}:${email}`).toString('base64url')
}
