import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PARTIES as GO } from './go/parties.ts'
import { PAGES } from './javascript/pages.ts'
import { PARTIES as JAVASCRIPT } from './javascript/parties.ts'
import { VERIFIERS } from './javascript/verifiers.ts'
import { PARTIES as JVM } from './jvm/parties.ts'
import type { NotApplicable, Party } from './party.ts'
import { PARTIES as PYTHON } from './python/parties.ts'

export const FILE = join(import.meta.dirname, '../../docs/relying-parties.md')
const BEGIN = '<!-- parties: made by "npm run docs" -->'
const END = '<!-- /parties -->'

const LANGUAGES: Readonly<Record<string, readonly Party[]>> = {
  JavaScript: [...JAVASCRIPT, ...PAGES],
  Go: GO,
  Python: PYTHON,
  Java: JVM,
}

/** What the tests try, as Markdown. */
function partiesTable(): string {
  const of = ([language, parties]: [string, readonly Party[]]) => [
    `### ${language}`,
    '',
    '| Library | After `gatehouse client create --name …` | Signs in | Sees the e-mail | Refreshes | Signs out |',
    '| --- | --- | --- | --- | --- | --- |',
    ...parties.map(rowOf),
    '',
  ]
  const verifiers = Object.entries(VERIFIERS.versions).map(
    ([name, version]) => `${name} ${version}`,
  )
  return [
    ...Object.entries(LANGUAGES).flatMap(of),
    `Verifiers of access tokens, tried with an API made by`,
    `\`gatehouse resource create ${printable(VERIFIERS.party.api)}\`:`,
    `${verifiers.join(', ')}.`,
  ].join('\n')
}

const printable = (line: string): string =>
  line
    .replaceAll('{app}', 'https://app.example.org')
    .replaceAll('{inside}', 'http://app.internal:8080')

function rowOf({ name, version, api, create, email, refresh, signOut }: Party): string {
  const does = (way: string | NotApplicable) => (typeof way === 'string' ? 'yes' : way.because)
  const out = 'at' in signOut ? (signOut.ends === 'both' ? 'at both' : 'its own') : signOut.because
  const line = printable(create).replace(/(?<= )\/\S+\/jvm\//g, '')
  const before = api ? `an API at \`${printable(api)}\`, ` : ''
  return `| ${name} ${version} | ${before}\`${line}\` | yes | ${does(email)} | ${does(refresh)} | ${out} |`
}

/** The document with the table of today in it. */
export function withParties(document: string): string {
  const [before, rest] = document.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined)
    throw new Error(`docs/relying-parties.md has lost "${BEGIN}" or "${END}"`)
  return `${before}${BEGIN}\n\n${partiesTable()}\n\n${END}${after}`
}

if (import.meta.main) writeFileSync(FILE, withParties(readFileSync(FILE, 'utf8')))
