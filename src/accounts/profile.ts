import type { AuditSink } from '../audit/event.ts'
import type { EntityManager } from '../database/database.ts'
import { Account } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { isPublicHttps } from '../public-url.ts'
import { isAllVisible } from '../visible-text.ts'
import { personName } from './person-name.ts'

/** What a person may change about themselves without proof; `null` clears, absence keeps. */
export interface ProfileChange {
  readonly name?: string | undefined
  readonly imageUrl?: string | null | undefined
  readonly phoneNumber?: string | null | undefined
  readonly locale?: string | null | undefined
}

const BETWEEN = '[\\s().-]*'
/** E.164, with the spaces, dots, dashes and brackets that people write in between. */
export const PHONE_PATTERN = `^${BETWEEN}\\+${BETWEEN}[1-9](?:${BETWEEN}[0-9]){6,14}${BETWEEN}$`
const LABEL = '(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
/** Addresses of pictures that are surely taken: a public name, a plain path and query. */
export const PLAIN_IMAGE_PATTERN = `^https://(?:${LABEL}\\.)+(?!(?:localhost|local|internal)(?:[/?]|$))[a-z]{2,63}(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?(?:\\?[A-Za-z0-9._~=&-]*)?$`
const PHONE = new RegExp(PHONE_PATTERN, 'u')

export class Profile {
  readonly #em: EntityManager
  readonly #audit: AuditSink

  constructor({ em, audit }: { readonly em: EntityManager; readonly audit: AuditSink }) {
    this.#em = em
    this.#audit = audit
  }

  /** Throws `invalid_input` with the reason by field. */
  async update(accountId: string, change: ProfileChange): Promise<Account> {
    const fields: Record<string, string> = {}
    const name = change.name === undefined ? undefined : personName(change.name)
    const { phoneNumber } = change
    if (change.name !== undefined && !name) fields['name'] = 'invalid_name'
    if (phoneNumber != null && !PHONE.test(phoneNumber)) fields['phone_number'] = 'invalid_phone'
    const imageUrl =
      typeof change.imageUrl === 'string' ? canonicalImageUrl(change.imageUrl) : change.imageUrl
    if (typeof change.imageUrl === 'string' && imageUrl === undefined)
      fields['image_url'] = 'invalid_url'
    if (Object.keys(fields).length > 0) throw new AppError('invalid_input', { fields })

    const em = this.#em.fork()
    const account = await em.findOneOrFail(Account, { id: accountId })
    if (name) account.name = name
    if (change.phoneNumber !== undefined)
      account.phoneNumber = change.phoneNumber?.replace(/[^+0-9]/g, '') ?? null
    if (imageUrl !== undefined) account.imageUrl = imageUrl
    if (change.locale !== undefined) account.locale = change.locale
    await em.flush()
    const changed = Object.entries(change).flatMap(([field, value]) =>
      value === undefined ? [] : [field],
    )
    this.#audit.record({ type: 'profile_changed', accountId, detail: { fields: changed } })
    return account
  }
}

/** A picture on the public web, named but never fetched by us; in its one spelling. */
function canonicalImageUrl(value: string): string | undefined {
  const href = isAllVisible(value) ? URL.parse(value)?.href : undefined
  return href !== undefined && href.length <= 2048 && isPublicHttps(href) ? href : undefined
}
