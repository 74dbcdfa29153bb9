/** Languages with a complete catalogue in `views/locales`. The first is the default. */
export const LOCALES = ['en', 'de', 'ar'] as const
export type Locale = (typeof LOCALES)[number]

export const LOCALE_NAMES: Readonly<Record<Locale, string>> = {
  en: 'English',
  de: 'Deutsch',
  ar: 'العربية',
}

export function isLocale(value: unknown): value is Locale {
  return LOCALES.some((locale) => locale === value)
}

export function directionOf(locale: Locale): 'ltr' | 'rtl' {
  return locale === 'ar' ? 'rtl' : 'ltr'
}

export interface LocaleWishes {
  /** OIDC `ui_locales`: tags in order of preference, separated by spaces. */
  readonly uiLocales?: string | undefined
  /** What the person chose in the language picker. */
  readonly cookie?: string | undefined
  readonly acceptLanguage?: string | undefined
}

/** The person's own choice, else the app's wish, else the browser's. */
export function negotiateLocale({
  uiLocales = '',
  cookie,
  acceptLanguage = '',
}: LocaleWishes): Locale {
  if (isLocale(cookie)) return cookie
  const wished = uiLocales.slice(0, 500).split(/\s+/)
  return firstKnown(wished) ?? firstKnown(byQuality(acceptLanguage.slice(0, 500))) ?? LOCALES[0]
}

function firstKnown(tags: readonly string[]): Locale | undefined {
  return tags.map((tag) => tag.split('-')[0]?.toLowerCase()).find(isLocale)
}

/** RFC 9110 section 12.5.4. */
function byQuality(header: string): string[] {
  const ranges = header.split(',').map((range) => {
    const [tag = '', ...parameters] = range.split(';').map((part) => part.trim())
    const q = parameters.find((parameter) => parameter.startsWith('q='))
    return { tag, quality: q ? Number(q.slice(2)) : 1 }
  })
  const wanted = ranges.filter(({ quality }) => quality > 0)
  return wanted.sort((a, b) => b.quality - a.quality).map(({ tag }) => tag)
}
