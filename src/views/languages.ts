import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { StartupError } from '../errors.ts'
import { VIEWS } from './files.ts'
import { type LanguageFile, readLanguageFile } from './language-file.ts'
import { type LocaleWishes, negotiate } from './negotiation.ts'
import { lackingWords, wordFaults } from './word-faults.ts'

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
 * one by one. Throws with a sentence that names the file and the key.
 */
export function readLanguages(folder?: string): Languages {
  const found = new Map<Locale, Language>()
  for (const file of filesOf(OURS)) add(file, found)
  const english = found.get(DEFAULT)?.catalogue ?? new Map<string, string>()
  for (const file of folder === undefined ? [] : filesOf(folder)) {
    const [fault] = wordFaults(file.words, english)
    if (fault) throw new StartupError(`${file.path}: ${fault}`)
    add(file, found, english)
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

function filesOf(folder: string): LanguageFile[] {
  return namesIn(folder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => readLanguageFile(join(folder, name)))
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    throw new StartupError(`${folder} is no folder that can be read`, { cause })
  }
}

/** What a file of the operator's lacks is English, whatever its status: a release may add words. */
function add(
  { path, head: { tag, name, dir, status }, words }: LanguageFile,
  found: Map<Locale, Language>,
  english: Catalogue = new Map(),
): void {
  const before = found.get(tag)
  if (!before && (name === undefined || dir === undefined))
    throw new StartupError(`${path} adds a language and has no "name" or "dir" in its "_"`)
  const catalogue = new Map([...(before?.catalogue ?? []), ...words])
  found.set(tag, {
    tag,
    name: name ?? before?.name ?? tag,
    direction: dir ?? before?.direction ?? 'ltr',
    isComplete:
      before?.isComplete ??
      (status === 'complete' && lackingWords(catalogue, english).length === 0),
    catalogue,
  })
}
