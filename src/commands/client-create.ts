import { Command } from 'commander'
import type { NewClient, Registration } from '../clients/clients.ts'
import { registrationOf } from '../clients/metadata.ts'
import { givenUpBy } from '../clients/needed-switch.ts'
import { type Answer, answering, envAnswer } from './answer.ts'
import { factsOf } from './client-facts.ts'
import { type ChosenPreset, chosenPreset, withProduct } from './client-preset.ts'
import { addFieldOptions, changeFrom } from './field-options.ts'
import { type Open, withClients } from './with-clients.ts'

interface CreateOptions {
  readonly id?: string
  readonly preset?: string
  readonly url?: string
}

/** `gatehouse client create`. */
export function createCommand(open: Open): Command {
  const command = new Command('create')
    .description('register an app and print its settings as an .env file')
    .option('--id <id>', 'its client_id, if not a random one')
    .option('--preset <product>', 'as its manual says; "client presets" has them all')
    .option('--url <url>', 'where that product is installed')
  return addFieldOptions(command, { isChange: false }).action(
    answering(({ id, preset, url }: CreateOptions) => {
      const said = changeFrom(command) as NewClient
      const chosen = chosenPreset({ preset, url }, said)
      return withClients(open, async ({ clients, config }) => {
        const wanted = { ...(chosen?.input ?? said), id } as NewClient
        return told(config.issuer, await clients.create(wanted), chosen)
      })
    }),
  )
}

function told(issuer: string, made: Registration, chosen: ChosenPreset | undefined): Answer {
  const answer = {
    ...envAnswer(factsOf(issuer, made)),
    notes: givenUpBy(registrationOf(made.client)),
  }
  return chosen ? withProduct(answer, chosen, issuer, made) : answer
}
