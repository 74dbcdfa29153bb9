import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { VIEWS } from './files.ts'
import { type LocaleWishes, negotiate } from './negotiation.ts'

/** A language tag (BCP 47) of which there is a catalogue. */
export type Locale = string

/** The words of a language, keys joined by dots. */
export type Catalogue = ReadonlyMap<string, string>

export interface Language {
  readonly tag: Locale
  /** In the language itself. */
  readonly name: string
  readonly direction: 'ltr' | 'rtl'
  /** Whether it has every word; else English stands in for single ones. */
  readonly isComplete: boolean
  readonly catalogue: Catalogue
}

export interface Languages {
  /** English, the default, first; the others in the order of their tags. */
  readonly tags: readonly Locale[]
  has(tag: unknown): tag is Locale
  /** Throws for a tag that is not there. */
  get(tag: Locale): Language
  negotiate(wishes: LocaleWishes): Locale
}

const DEFAULT = 'en'
const OURS = join(VIEWS, 'locales')

/**
 * The languages of `views/locales`, a file each, and of a folder of the operator's, whose words win
 * one by one. Throws with a sentence that names the file.
 */
export function readLanguages(folder?: string): Languages {
  const found = new Map<Locale, Language>()
  for (const each of folder === undefined ? [OURS] : [OURS, folder])
    for (const name of readdirSync(each).toSorted())
      if (name.endsWith('.json')) {
        const language = readLanguage(join(each, name), found)
        found.set(language.tag, language)
      }
  const tags = [DEFAULT, ...[...found.keys()].filter((tag) => tag !== DEFAULT).toSorted()]
  const has = (tag: unknown): tag is Locale => typeof tag === 'string' && found.has(tag)
  return {
    tags,
    has,
    get(tag) {
      const language = found.get(tag)
      if (!language) throw new Error(`there is no language ${tag}`)
      return language
    },
    negotiate: (wishes) => negotiate(tags, wishes),
  }
}

interface Head {
  readonly tag: string
  readonly name: string
  readonly dir: 'ltr' | 'rtl'
  readonly status: 'complete' | 'partial'
}

function readLanguage(path: string, known: ReadonlyMap<Locale, Language>): Language {
  const { _: head, ...words } = parse(path)
  const { tag, name, dir, status } = (head ?? {}) as Partial<Head>
  const before = tag === undefined ? undefined : known.get(tag)
  if (!isTag(tag) || (!before && (!name || !dir)))
    throw new Error(
      `${path} does not begin with "_": {"tag", "name", "dir": "ltr" or "rtl", "status"}`,
    )
  const catalogue = new Map([...(before?.catalogue ?? []), ...flatten(words, path)])
  return {
    tag,
    name: name ?? before?.name ?? tag,
    direction: (dir ?? before?.direction) === 'rtl' ? 'rtl' : 'ltr',
    isComplete: before?.isComplete ?? status === 'complete',
    catalogue,
  }
}

function parse(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  } catch (cause) {
    throw new Error(`${path} is not JSON`, { cause })
  }
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
    throw new Error(`${path}: ${prefix} is not a text`)
  return Object.entries(value).flatMap(([key, inner]) =>
    flatten(inner, path, prefix ? `${prefix}.${key}` : key),
  )
}
