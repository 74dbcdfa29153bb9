import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readLanguageFile } from '../../src/views/language-file.ts'
import { lackingWords } from '../../src/views/word-faults.ts'
import { faultsOf } from './catalogue-rules.ts'

/** For translators: `npm run check:locales [folder]` says what is wrong with each file. */
const OURS = join(import.meta.dirname, '../../views/locales')
const folder = process.argv[2] ?? OURS
const english = readLanguageFile(join(OURS, 'en.json')).words
const total = lackingWords(new Map(), english).length

for (const name of readdirSync(folder).filter((each) => each.endsWith('.json')))
  for (const line of linesOf(name)) process.stdout.write(`${line}\n`)

function linesOf(name: string): string[] {
  try {
    const file = readLanguageFile(join(folder, name))
    const faults = faultsOf(file, english)
    if (faults.length > 0) process.exitCode = 1
    const have = total - lackingWords(file.words, english).length
    return [`${name}: ${have} of ${total} texts`, ...faults.map((fault) => `  ${fault}`)]
  } catch (error) {
    process.exitCode = 1
    return [(error as Error).message]
  }
}
