import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { Command, CommanderError, type Option } from 'commander'
import { addJsonOption, answering } from '../../src/commands/answer.ts'
import { wordsToRun } from '../../src/commands/words-to-run.ts'

const SRC = join(import.meta.dirname, '../../src')
const IMPORTS = /\(await import\('\.\/(commands\/\w[\w-]*\.ts)'\)\)\.(\w+Command)\(/g

/** A value that every argument and option takes whose text is read at once. */
const ANY_ID = '3f0c1f4e-8f59-4c53-9d0e-6f2a0f6f7a11'

/** All commands that `cli.ts` has, each with an answer that says how it was asked. */
async function program(): Promise<Command> {
  const root = new Command('gatehouse').exitOverride()
  const text = readFileSync(join(SRC, 'cli.ts'), 'utf8')
  for (const [, file = '', name = ''] of text.matchAll(IMPORTS)) {
    const made = (await import(join(SRC, file))) as Record<string, (open: unknown) => Command>
    const command = made[name]?.(() => Promise.reject(new Error('opened')))
    if (!command) throw new Error(`${file} has no ${name}`)
    root.addCommand(command)
  }
  for (const command of root.commands) addJsonOption(command)
  return root
}

function leaves(command: Command): Command[] {
  const own = command.registeredArguments.length > 0 || command.commands.length === 0
  return [...(own ? [command] : []), ...command.commands.flatMap(leaves)]
}

function pathOf(command: Command): string[] {
  return command.parent ? [...pathOf(command.parent), command.name()] : []
}

const sampleOf = ({ argChoices }: Pick<Option, 'argChoices'>) => argChoices?.[0] ?? ANY_ID

const optionalOf = (leaf: Command): string[] =>
  leaf.registeredArguments.filter(({ required }) => !required).map(() => ANY_ID)

/** What calls a command, with a value wherever it must have one. */
function callOf(leaf: Command): string[] {
  const needed = leaf.registeredArguments.filter(({ required }) => required)
  const mandatory = leaf.options.filter((option) => option.mandatory)
  return [
    ...pathOf(leaf),
    ...needed.map(() => ANY_ID),
    ...mandatory.flatMap((option) => [option.long ?? '', sampleOf(option)]),
  ]
}

describe('every command', () => {
  let root: Command
  let all: Command[]
  const write = jest.spyOn(process.stdout, 'write')
  const printed = async (words: readonly string[]): Promise<string> => {
    write.mockClear()
    await root.parseAsync(wordsToRun(root, words), { from: 'user' }).catch((error: unknown) => {
      if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error
    })
    return write.mock.calls.map(([text]) => String(text)).join('')
  }

  beforeEach(async () => {
    root = await program()
    all = leaves(root)
    for (const leaf of all) leaf.exitOverride()
    expect(all.length).toBeGreaterThan(60)
    write.mockReturnValue(true)
  })
  afterEach(() => void write.mockReset())
  afterAll(() => write.mockRestore())

  it('answers as JSON where --json is said, also below a command that has it too', async () => {
    const deaf: string[] = []
    for (const leaf of all.filter((each) => pathOf(each).join(' ') !== 'audit export')) {
      leaf.action(answering(async () => ({ lines: ['plain'], json: { is: 'json' } })))
      const words = [...callOf(leaf), '--json']
      if ((await printed(words)) !== '{"is":"json"}\n') deaf.push(words.join(' '))
    }
    expect(deaf).toEqual([])
  })

  it('says in its help whether --json prints one document or a line for each', () => {
    const lines = all.filter((leaf) => leaf.helpInformation().includes('as JSON, one a line'))
    expect(lines.map((leaf) => pathOf(leaf).join(' '))).toEqual([
      'account list',
      'account search',
      'audit export',
    ])
    const documents = all.filter((leaf) => leaf.helpInformation().includes('one JSON document'))
    expect(documents).toHaveLength(all.length - lines.length)
  })

  it.each([
    ['--help', callOf],
    ['-h', callOf],
    ['--help', (leaf: Command) => [...callOf(leaf), ...optionalOf(leaf)]],
  ] as const)(
    'shows help, and does nothing, where %s comes after all that it needs',
    async (help, wordsOf) => {
      const done: string[] = []
      for (const leaf of all) {
        leaf.action(async () => void done.push(pathOf(leaf).join(' ')))
        const text = await printed([...wordsOf(leaf), help])
        if (!text.startsWith(`Usage: gatehouse ${pathOf(leaf).join(' ')}`)) done.push(text)
      }
      expect(done).toEqual([])
    },
  )
})
