import type { AttributeType } from '../../entities/attribute-definition.ts'
import { isAllVisible } from '../../visible-text.ts'
import { NAME_PATTERN } from '../person-name.ts'

type Form = Exclude<AttributeType, 'address'>

/** Words that one line may have: no markup, no URL, nothing that turns the reading direction. */
const TEXT = new RegExp(NAME_PATTERN, 'u')
const DATE = /^(\d{4})(?:-(\d\d)-(\d\d))?$/
/** A day without its year, which OIDC Core 5.1 writes so. */
const NO_YEAR = '0000'
/** One in which each day of the year is. */
const LEAP_YEAR = '2000'
const ZONE = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/
const DAY_MS = 86_400_000

const CANONICAL: Readonly<Record<Form, (typed: string) => string | undefined>> = {
  text: (typed) => (TEXT.test(typed) ? typed : undefined),
  date: canonicalDate,
  url: canonicalUrl,
  zone: canonicalZone,
}

/** The one spelling in which the value is kept and issued, or undefined if it is none of its type. */
export function attributeValue(type: Form, typed: string, maxLength: number): string | undefined {
  const value = CANONICAL[type](typed.normalize('NFC').trim())
  return value !== undefined && [...value].length <= maxLength ? value : undefined
}

/** `1815-12-10`, `1815`, or `0000-12-10`; a day that the calendar has, and has had. */
function canonicalDate(typed: string): string | undefined {
  const [, year = '', month, day] = DATE.exec(typed) ?? []
  if (year === '' || (year === NO_YEAR && month === undefined)) return undefined
  const whole = `${year === NO_YEAR ? LEAP_YEAR : year}-${month ?? '01'}-${day ?? '01'}`
  const at = Date.parse(`${whole}T00:00:00Z`)
  const isDay = !Number.isNaN(at) && new Date(at).toISOString().startsWith(whole)
  // Somewhere it is tomorrow already.
  return isDay && at <= Date.now() + DAY_MS ? typed : undefined
}

/** On the web, and without the name and password of a person. */
function canonicalUrl(typed: string): string | undefined {
  const url = isAllVisible(typed) ? URL.parse(typed) : null
  const isWeb = url !== null && /^https?:$/.test(url.protocol) && /^https?:\/\//i.test(typed)
  return isWeb && !url.username && !url.password ? url.href : undefined
}

/**
 * A zone of the IANA database that this program knows, under its own or an older name; Node takes
 * distances from UTC for zones, too.
 */
function canonicalZone(typed: string): string | undefined {
  if (!ZONE.test(typed)) return undefined
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: typed }).resolvedOptions()
    return timeZone.toLowerCase() === typed.toLowerCase() ? timeZone : typed
  } catch {
    return undefined
  }
}
