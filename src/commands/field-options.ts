import { type Command, Option } from 'commander'
import type { ClientChange } from '../clients/client-change.ts'
import { FIELD_OPTIONS, longOf } from './client-options.ts'

/** `isChange`: each can be taken back, too. */
export function addFieldOptions(command: Command, { isChange }: { isChange: boolean }): Command {
  for (const [, each] of FIELD_OPTIONS) {
    const option = new Option(each.flags, each.says)
    if (each.choices) option.choices(each.choices)
    command.addOption(option)
    if (isChange && !each.isKept)
      command.addOption(new Option(longOf(each).replace('--', '--no-'), 'take that back'))
  }
  return command
}

/** What was typed, by field; a `--no-…` takes back. */
export function changeFrom(command: Command): ClientChange {
  const given = command.opts<Readonly<Record<string, unknown>>>()
  const said = FIELD_OPTIONS.flatMap(([field, option]) => {
    const name = new Option(option.flags).attributeName()
    if (command.getOptionValueSource(name) !== 'cli') return []
    const value = given[name]
    if (value === false) return [[field, null]]
    return [[field, option.read ? option.read(value as never) : value]]
  })
  return Object.fromEntries(said) as ClientChange
}
