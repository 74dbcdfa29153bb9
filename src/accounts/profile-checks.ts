import type { Account } from '../entities/index.ts'
import { isPublicHttps } from '../public-url.ts'
import { isAllVisible } from '../visible-text.ts'
import { personName } from './person-name.ts'

/** What a person may change about themselves without proof; `null` clears, absence keeps. */
export interface ColumnsInput {
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

type Columns = Partial<Pick<Account, 'name' | 'imageUrl' | 'phoneNumber' | 'locale'>>

/** Columns of `account` as they are kept, and reasons by field. */
export function checkColumns(wanted: ColumnsInput): {
  readonly columns: Columns
  readonly faults: Readonly<Record<string, string>>
} {
  const faults: Record<string, string> = {}
  const columns: Columns = {}
  if (wanted.name !== undefined) {
    const name = personName(wanted.name)
    if (name) columns.name = name
    else faults['name'] = 'invalid_name'
  }
  const { phoneNumber, locale } = wanted
  if (phoneNumber !== undefined) {
    if (phoneNumber !== null && !PHONE.test(phoneNumber)) faults['phone_number'] = 'invalid_phone'
    columns.phoneNumber = phoneNumber?.replace(/[^+0-9]/g, '') ?? null
  }
  if (wanted.imageUrl !== undefined) {
    const imageUrl = wanted.imageUrl === null ? null : canonicalImageUrl(wanted.imageUrl)
    if (imageUrl === undefined) faults['image_url'] = 'invalid_url'
    else columns.imageUrl = imageUrl
  }
  if (locale !== undefined) {
    if (locale !== null && !isLanguageTag(locale)) faults['locale'] = 'invalid_locale'
    columns.locale = locale
  }
  return { columns, faults }
}

export function isLanguageTag(text: string): boolean {
  try {
    return text.length <= 35 && Intl.getCanonicalLocales(text)[0] === text
  } catch {
    return false
  }
}

/** A picture on the public web, named but never fetched by us; in its one spelling. */
function canonicalImageUrl(value: string): string | undefined {
  const href = isAllVisible(value) ? URL.parse(value)?.href : undefined
  return href !== undefined && href.length <= 2048 && isPublicHttps(href) ? href : undefined
}
