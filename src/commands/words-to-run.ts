import type { Command } from 'commander'

const HELP = new Set(['-h', '--help'])

/**
 * Commander shows help for any words that come with `--help`, as if it knew the command that they
 * name. It does not get to see that option where no command is named: it says so instead.
 */
export function wordsToRun(program: Command, called: readonly string[]): string[] {
  return isKnown(program, called) ? [...called] : called.filter((word) => !HELP.has(word))
}

function isKnown(command: Command, [word = '-', ...rest]: readonly string[]): boolean {
  if (word.startsWith('-') || word === 'help' || command.commands.length === 0) return true
  const found = command.commands.find((each) => each.name() === word)
  return found ? isKnown(found, rest) : command.registeredArguments.length > 0
}
