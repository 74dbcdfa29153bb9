import { Command } from 'commander'
import type { AttributeDefinitions } from '../accounts/attributes/definitions.ts'
import { answering, rowsAnswer } from './answer.ts'
import { explained } from './refusal.ts'

export interface AttributeCommandDeps extends AsyncDisposable {
  readonly definitions: AttributeDefinitions
}

/** `gatehouse attribute …`: what people are asked for on their profile page. */
export function attributeCommand(open: () => Promise<AttributeCommandDeps>): Command {
  const command = new Command('attribute').description('choose what people may say of themselves')

  const turn = (isOn: boolean) =>
    answering(async (names: string[]) => {
      await using deps = await open()
      await explained(() => deps.definitions.turn(names, isOn), {})
      const state = isOn ? 'on' : 'off'
      return {
        lines: [`Turned ${state}: ${names.join(', ')}.`],
        json: names.map((name) => ({ name, state })),
      }
    })

  command
    .command('list')
    .description('all of them, one a line: name, on or off, type, scope')
    .action(
      answering(async () => {
        await using deps = await open()
        const all = [...(await deps.definitions.all()).values()]
        return rowsAnswer(
          all.map(({ name, isOn, type, scope }) => ({
            name,
            state: isOn ? 'on' : 'off',
            type,
            scope,
          })),
        )
      }),
    )
  command
    .command('on <name...>')
    .description('show fields on the profile page and take them at the account API')
    .action(turn(true))
  command
    .command('off <name...>')
    .description('hide fields; what people have filled in stays theirs')
    .action(turn(false))
  return command
}
