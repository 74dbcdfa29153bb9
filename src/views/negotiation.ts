export interface LocaleWishes {
  /** OIDC `ui_locales`: tags in order of preference, separated by spaces. */
  readonly uiLocales?: string | undefined
  /** What the person chose in the language picker. */
  readonly cookie?: string | undefined
  readonly acceptLanguage?: string | undefined
}

/** The person's own choice, else the app's wish, else the browser's. Of `tags`, the first is the default. */
export function negotiate(
  tags: readonly string[],
  { uiLocales = '', cookie, acceptLanguage = '' }: LocaleWishes,
): string {
  if (cookie !== undefined && tags.includes(cookie)) return cookie
  const wished = uiLocales.slice(0, 500).split(/\s+/)
  return (
    firstOf(tags, wished) ?? firstOf(tags, byQuality(acceptLanguage.slice(0, 500))) ?? tags[0] ?? ''
  )
}

function firstOf(tags: readonly string[], wished: readonly string[]): string | undefined {
  for (const range of wished) {
    const found = lookup(tags, range)
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * RFC 4647 section 3.4, on full tags: the tag itself, else shorter and shorter ones. What is left of
 * the language alone also takes another region of it in the same script: `pt` is `pt-BR`, `zh-TW`
 * is not `zh-Hans`.
 */
export function lookup(tags: readonly string[], range: string): string | undefined {
  const wanted = fullOf(MACRO[range.toLowerCase()] ?? range)
  if (!wanted) return undefined
  const subtags = range.toLowerCase().split('-')
  for (let length = subtags.length; length > 1; length--) {
    const shorter = subtags.slice(0, length).join('-')
    const found = tags.find((tag) => tag.toLowerCase() === shorter)
    if (found) return found
  }
  const alike = tags.filter((tag) => {
    const full = fullOf(tag)
    return full?.language === wanted.language && full.script === wanted.script
  })
  return alike.find((tag) => !tag.includes('-')) ?? alike[0]
}

/** Languages that are asked for by the name of a group. */
const MACRO: Readonly<Record<string, string>> = { no: 'nb' }

function fullOf(tag: string): Intl.Locale | undefined {
  try {
    return new Intl.Locale(tag).maximize()
  } catch {
    return undefined
  }
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
