import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EnvSchema, readEnv, SECRETS } from '../../src/config/env.ts'

const FILE = join(import.meta.dirname, '../../docs/operations.md')
const BEGIN = '<!-- settings: made by "npm run docs" -->'
const END = '<!-- /settings -->'

/** The table of all settings as Markdown, from the schema that reads them. */
export function settingsTable(): string {
  const required = requiredInProduction()
  const defaults = readEnv({}) as Readonly<Record<string, unknown>>
  const rows = Object.entries(EnvSchema.shape).map(([name, { description = '' }]) => {
    const file = (SECRETS as readonly string[]).includes(name) ? ' ᶠ' : ''
    const fallback = name in defaults ? `\`${String(defaults[name])}\`` : ''
    return `| \`${name}\`${file} | ${required.has(name) ? '**required in production**' : fallback} | ${description.replaceAll('|', '\\|')} |`
  })
  return ['| Setting | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

/** The document with the table of today in it. */
export function withSettings(document: string): string {
  const [before, rest] = document.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined)
    throw new Error(`docs/operations.md has lost "${BEGIN}" or "${END}"`)
  return `${before}${BEGIN}\n${settingsTable()}\n${END}${after}`
}

/** What a production start without any setting complains about. */
function requiredInProduction(): ReadonlySet<string> {
  try {
    readEnv({ NODE_ENV: 'production' })
    return new Set()
  } catch (error) {
    return new Set(
      Array.from(
        (error as Error).message.matchAll(/^ {2}([A-Z_]+): required/gm),
        ([, name = '']) => name,
      ),
    )
  }
}

if (import.meta.main) writeFileSync(FILE, withSettings(readFileSync(FILE, 'utf8')))
