import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

export const ROOT = join(import.meta.dirname, '../..')

export interface Source {
  /** Path from the project's root, with forward slashes. */
  readonly path: string
  readonly text: string
  /** The text without comments: what a rule about code should look at. */
  readonly code: string
}

export interface Import {
  readonly from: string
  /** A path from the root for our own files, else the package specifier. */
  readonly to: string
  readonly isOurs: boolean
  readonly isTypeOnly: boolean
  /** Loaded when that line is reached, not with the file. */
  readonly isDynamic: boolean
}

export function sourcesOf(pattern: string): Source[] {
  return globSync(pattern, { cwd: ROOT })
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
    .map((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8')
      return { path, text, code: withoutComments(text) }
    })
}

const STATEMENT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

/**
 * Static and dynamic imports and re-exports. `import { type X }` alone does not count as type-only:
 * it stays at run time.
 */
export function importsOf({ path, code }: Source): Import[] {
  return [...code.matchAll(STATEMENT)].map(([, type, fixed, dynamic]) => {
    const specifier = fixed ?? dynamic ?? ''
    const isOurs = specifier.startsWith('.')
    const to = isOurs
      ? relative('/', join('/', dirname(path), specifier)).replaceAll('\\', '/')
      : specifier
    return {
      from: path,
      to,
      isOurs,
      isTypeOnly: type !== undefined,
      isDynamic: dynamic !== undefined,
    }
  })
}

function withoutComments(text: string): string {
  return text.replace(
    /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|(?<![:\\/])\/\/[^\n]*/g,
    (_whole, literal?: string) => literal ?? '',
  )
}
