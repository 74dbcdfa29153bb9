/** Two characters that no text of ours has: what is between them is English in another language. */
const BEGIN = '\ue000'
const END = '\ue001'
const MARKED = /\ue000([^\ue000\ue001]*)\ue001/g
const MARKS = /[\ue000\ue001]/g
/** Where there can be no element: in a tag, and in elements that hold text alone. */
const TEXT_ONLY = /<(title|option|textarea|script|style)\b[^>]*>[\s\S]*?<\/\1>|<[^>]*>/g

/** A word that the language does not have. */
export function inEnglish(text: string): string {
  return `${BEGIN}${text}${END}`
}

export function hasEnglish(text: string): boolean {
  return text.includes(BEGIN)
}

/** The page with those words marked as English (WCAG 2.2, 3.1.2). */
export function markEnglish(page: string): string {
  return page
    .replace(TEXT_ONLY, (part) => part.replace(MARKS, ''))
    .replace(MARKED, '<span lang="en" dir="ltr">$1</span>')
    .replace(MARKS, '')
}
