import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { TRIES_ALL } from './party.ts'

const run = promisify(execFile)

/** How the programs of a language are made ready, once for each state of its files. */
interface Preparation {
  /** All of these must succeed on the machine. */
  readonly needs: readonly Step[]
  readonly steps: readonly Step[]
  /** What only the slow parties need. */
  readonly stepsOfSlow?: readonly Step[]
}

type Step = readonly [string, ...string[]]

const mvn = (project: string, ...more: string[]): Step => [
  'mvn',
  '-q',
  '-B',
  '-ntp',
  '-f',
  `${project}/pom.xml`,
  ...more,
  'package',
]

const NPM = ['npm', '--version'] as const
const NPM_CI = [
  'npm',
  'ci',
  '--ignore-scripts',
  '--legacy-peer-deps',
  '--no-audit',
  '--no-fund',
] as const

const PREPARATIONS = {
  javascript: {
    needs: [NPM],
    steps: [NPM_CI],
  },
  python: {
    needs: [['python3', '-c', 'import ensurepip, venv'], NPM],
    steps: [
      NPM_CI,
      ['python3', '-m', 'venv', '.venv'],
      [
        '.venv/bin/pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '-r',
        'requirements.txt',
      ],
    ],
  },
  go: {
    needs: [['go', 'version']],
    steps: [
      ['go', 'build', '-o', 'bin/', './goidc', './zitadel', './cap'],
      ['go', 'build', '-o', 'bin/', 'github.com/oauth2-proxy/oauth2-proxy/v7'],
    ],
  },
  jvm: {
    needs: [
      ['java', '-version'],
      ['mvn', '-v'],
    ],
    steps: [mvn('spring')],
    stepsOfSlow: [
      mvn('spring', '-Dboot=3.5.7'),
      mvn('nimbus'),
      mvn('quarkus'),
      mvn('pac4j'),
      mvn('keycloak'),
    ],
  },
} as const satisfies Readonly<Record<string, Preparation>>

/** As in `.gitignore`. */
const MADE = new Set(['node_modules', '.venv', '__pycache__', 'bin', 'target', '.prepared'])

export type Language = keyof typeof PREPARATIONS

/** What is missing on this machine for the parties of a language; undefined if nothing is. */
export async function missingFor(language: Language): Promise<string | undefined> {
  const { needs }: Preparation = PREPARATIONS[language]
  for (const need of needs) if (!(await succeeds(need))) return need.join(' ')
  return undefined
}

/** How npm, pip, Go and Maven say that their registry cannot be reached. */
const UNREACHABLE =
  /ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|dial tcp|i\/o timeout|NewConnectionError|ReadTimeout|Could not transfer|Unknown host|Connect(?:ion)? (?:timed out|refused|reset)/

/**
 * Installs what the parties of a language are made of, from the language's own registry. Answers
 * what could not be reached, if that is why it did not succeed.
 */
export async function prepare(language: Language): Promise<string | undefined> {
  const folder = join(import.meta.dirname, language)
  const { steps, stepsOfSlow = [] }: Preparation = PREPARATIONS[language]
  const mark = join(folder, '.prepared')
  const digest = `${digestOf(folder)}${TRIES_ALL ? ' and the slow' : ''}`
  if (existsSync(mark) && readFileSync(mark, 'utf8') === digest) return undefined
  const make = ([command, ...args]: Step) =>
    run(command, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 })
  // The network may have spoilt the first try.
  for (const step of TRIES_ALL ? [...steps, ...stepsOfSlow] : steps) {
    try {
      await make(step).catch(() => make(step))
    } catch (error) {
      const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string }
      if (UNREACHABLE.test(`${stdout}${stderr}`)) return `registry for ${step[0]}`
      throw error
    }
  }
  writeFileSync(mark, digest)
  return undefined
}

/** Of all that was written, and of nothing that was made of it. */
function digestOf(folder: string): string {
  const hash = createHash('sha256')
  const look = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name)
      if (MADE.has(entry.name) || entry.name.endsWith('.ts')) continue
      if (entry.isDirectory()) look(path)
      else hash.update(path).update(readFileSync(path))
    }
  }
  look(folder)
  return hash.digest('hex')
}

async function succeeds([command, ...args]: Step): Promise<boolean> {
  try {
    await run(command, args)
    return true
  } catch {
    return false
  }
}
