import { readFileSync } from 'node:fs'
import { StartupError } from '../errors.ts'

/** What a file of a language begins with. One that overrides words of ours needs only the tag. */
export interface Head {
  readonly tag: string
  readonly name?: string
  readonly dir?: 'ltr' | 'rtl'
  readonly status?: 'complete' | 'partial'
}

export interface LanguageFile {
  readonly path: string
  readonly head: Head
  /** Keys joined by dots. */
  readonly words: ReadonlyMap<string, string>
}

/** Throws with one sentence that names the file, and the key if there is one. */
export function readLanguageFile(path: string): LanguageFile {
  const { _: head, ...words } = parse(path)
  if (!isHead(head))
    throw new StartupError(
      `${path} does not begin with "_": {"tag", "name", "dir": "ltr" or "rtl", "status"}`,
    )
  return { path, head, words: new Map(flatten(words, path)) }
}

function parse(path: string): Record<string, unknown> {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof content === 'object' && content !== null) return { ...content }
  } catch (cause) {
    throw new StartupError(`${path} is not JSON`, { cause })
  }
  throw new StartupError(`${path} is not an object`)
}

function isHead(head: unknown): head is Head {
  const { tag, name, dir, status } = (head ?? {}) as Readonly<Record<string, unknown>>
  return (
    isTag(tag) &&
    (name === undefined || (typeof name === 'string' && name !== '')) &&
    (dir === undefined || dir === 'ltr' || dir === 'rtl') &&
    (status === undefined || status === 'complete' || status === 'partial')
  )
}

function isTag(tag: unknown): tag is string {
  try {
    return typeof tag === 'string' && tag !== '' && Intl.getCanonicalLocales(tag)[0] === tag
  } catch {
    return false
  }
}

function flatten(value: unknown, path: string, prefix = ''): [string, string][] {
  if (typeof value === 'string') return [[prefix, value]]
  if (value === null || typeof value !== 'object')
    throw new StartupError(`${path}: ${prefix} is not a text`)
  return Object.entries(value).flatMap(([key, inner]) =>
    flatten(inner, path, prefix ? `${prefix}.${key}` : key),
  )
}
