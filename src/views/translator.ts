import { inEnglish } from './fallback.ts'
import { escapeHtml, Html, html, print } from './html.ts'
import type { Catalogue, Language, Languages, Locale } from './languages.ts'

export type Params = Readonly<Record<string, string | number | Html>>

/**
 * One language: its words, dates and numbers. A word that a partial language does not have is
 * English, marked so; an unknown key throws.
 */
export interface Translator {
  readonly locale: Locale
  has(key: string): boolean
  /** Plain text. */
  t(key: string, params?: Params): string
  /** Markup: words escaped, values escaped and isolated from the text's direction. */
  th(key: string, params?: Params): Html
  /**
   * Plain text by plural category: `<key>.zero` if there is one, `<key>.one`, `<key>.other`, ...
   * with `{count}`.
   */
  count(key: string, count: number): string
  /** "14 March 2026 at 09:30 UTC" */
  dateTime(at: Date): string
  date(at: Date): string
  /** "3 hours ago", "in 2 days"; under a minute "just now". */
  relative(at: Date, now?: Date): string
  /** "10 minutes", "3 days": the largest unit that divides it. */
  duration(seconds: number): string
}

const PLACEHOLDER = /\{(\w+)\}/

export function createTranslators(languages: Languages): ReadonlyMap<Locale, Translator> {
  const english = languages.get('en').catalogue
  return new Map(languages.tags.map((tag) => [tag, createTranslator(languages.get(tag), english)]))
}

export function createTranslator(
  { tag: locale, direction, isComplete, catalogue }: Language,
  english: Catalogue = catalogue,
): Translator {
  /** Latin digits everywhere: codes, times and counts read alike in mail and page. */
  const tag = `${locale === 'en' ? 'en-GB' : locale}-u-nu-latn`
  const isRtl = direction === 'rtl'
  const plural = new Intl.PluralRules(locale)
  const number = new Intl.NumberFormat(tag)
  const fullDate = new Intl.DateTimeFormat(tag, { dateStyle: 'long', timeZone: 'UTC' })
  const fullTime = new Intl.DateTimeFormat(tag, {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  })
  const relative = new Intl.RelativeTimeFormat(tag, { numeric: 'auto' })

  const words = (key: string): string => {
    const text = catalogue.get(key)
    if (text !== undefined) return text
    const instead = isComplete ? undefined : english.get(key)
    if (instead === undefined) throw new Error(`no words for ${key} in ${locale}`)
    return inEnglish(instead)
  }
  const has = (key: string): boolean => catalogue.has(key) || (!isComplete && english.has(key))
  const value = (params: Params, name: string, key: string): string | Html => {
    const found = params[name]
    if (found === undefined) throw new Error(`no value for {${name}} of ${key}`)
    return typeof found === 'number' ? number.format(found) : found
  }
  const fill = (
    key: string,
    params: Params,
    text: (part: string) => string,
    slot: (found: string | Html) => string,
  ): string =>
    words(key)
      .split(PLACEHOLDER)
      .map((part, index) => (index % 2 === 0 ? text(part) : slot(value(params, part, key))))
      .join('')

  const t = (key: string, params: Params = {}): string =>
    fill(key, params, String, (found) => (isRtl ? `\u2068${String(found)}\u2069` : String(found)))

  return {
    locale,
    t,
    has,
    th: (key, params = {}) =>
      new Html(
        fill(key, params, escapeHtml, (found) =>
          print(found instanceof Html ? found : html`<bdi>${found}</bdi>`),
        ),
      ),
    count(key, count) {
      const form = [count === 0 ? 'zero' : '', plural.select(count)]
        .map((category) => `${key}.${category}`)
        .find(has)
      return t(form ?? `${key}.other`, { count })
    },
    date: (at) => fullDate.format(at),
    dateTime: (at) => `${fullTime.format(at)} UTC`,
    relative(at, now = new Date()) {
      const seconds = Math.round((at.getTime() - now.getTime()) / 1000)
      const [unit, size] = UNITS.find(([, unitSize]) => Math.abs(seconds) >= unitSize) ?? [
        'second',
        0,
      ]
      return size === 0
        ? words('device.justNow')
        : relative.format(Math.trunc(seconds / size), unit)
    },
    duration(seconds) {
      const [unit, size] = UNITS.find(
        ([name, unitSize]) =>
          name !== 'year' && name !== 'month' && seconds >= unitSize && seconds % unitSize === 0,
      ) ?? ['second', 1]
      return new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'long' }).format(
        seconds / size,
      )
    },
  }
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnitSingular, number])[] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]
