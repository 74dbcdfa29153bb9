import type { Command } from 'commander'
import { StartupError } from '../errors.ts'

/** What a command has to say: lines for people and shells, and the same for programs. */
export interface Answer {
  readonly lines: readonly string[]
  readonly json: unknown
  /** Instead of `json`, what goes on page by page: one object a line. */
  readonly jsonLines?: readonly unknown[]
  /** What the operator should know besides, on stderr. */
  readonly notes?: readonly string[]
  /** The exit code, of an answer that is not all well. */
  readonly exitCode?: 1 | 2
  /** What else could not be done. */
  readonly fault?: string
}

/**
 * A command's action: all of its work is done, and its connections are closed, before it says
 * anything. So a reader that goes away stops nothing.
 */
export function answering<Args extends unknown[]>(work: (...args: Args) => Promise<Answer>) {
  return async function (this: Command, ...args: Args): Promise<void> {
    const { lines, json, jsonLines = [json], notes = [], exitCode, fault } = await work(...args)
    const said = this.optsWithGlobals<{ json?: boolean }>().json
      ? jsonLines.map((each) => JSON.stringify(each))
      : lines
    process.stdout.write(said.map((line) => `${line}\n`).join(''))
    process.stderr.write(notes.map((note) => `${note}\n`).join(''))
    if (exitCode !== undefined) process.exitCode = exitCode
    if (fault !== undefined) throw new StartupError(fault)
  }
}

/** `--json` for every command that prints, in words of its own or in these. */
export function addJsonOption(command: Command): void {
  const isCalled = command.commands.length === 0 || command.registeredArguments.length > 0
  if (isCalled && !command.options.some(({ long }) => long === '--json'))
    command.option('--json', 'print the answer as one JSON document')
  for (const each of command.commands) addJsonOption(each)
}

/** One row a line, its facts apart by tabs. */
export function rowsAnswer(
  rows: readonly Readonly<Record<string, string | number | null>>[],
): Answer {
  return {
    lines: rows.map((row) =>
      Object.values(row)
        .map((fact) => fact ?? '')
        .join('\t'),
    ),
    json: rows,
  }
}

/** Settings for an app, as lines of an .env file that a shell can read too. */
export function envAnswer(settings: Readonly<Record<string, string | undefined>>): Answer {
  const given = Object.entries(settings).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return {
    lines: given.map(([name, value]) => `${name}=${quoted(value)}`),
    json: Object.fromEntries(given),
  }
}

function quoted(value: string): string {
  if (/^[\w./:@%+,-]+$/.test(value)) return value
  return value.includes("'") ? `"${value.replace(/["\\$`]/g, '\\$&')}"` : `'${value}'`
}
