import { Command } from 'commander'
import { createAppWithApi } from '../clients/app-with-api.ts'
import type { NewClient, Registration } from '../clients/clients.ts'
import { registrationOf } from '../clients/metadata.ts'
import { givenUpBy } from '../clients/needed-switch.ts'
import type { ResourceInput } from '../clients/resource-fields.ts'
import { type Answer, answering, envAnswer } from './answer.ts'
import { type ApiOptions, addApiOptions, apiFrom } from './app-with-api.ts'
import { factsOf } from './client-facts.ts'
import { type ChosenPreset, chosenPreset, withProduct } from './client-preset.ts'
import { addFieldOptions, changeFrom } from './field-options.ts'
import { type ClientCommandDeps, type Open, withClients } from './with-clients.ts'

interface CreateOptions extends ApiOptions {
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
  return addApiOptions(addFieldOptions(command, { isChange: false })).action(
    answering(({ id, preset, url, ...ofApi }: CreateOptions) => {
      const said = changeFrom(command) as NewClient
      const chosen = chosenPreset({ preset, url }, said)
      const wanted = { ...(chosen?.input ?? said), id } as NewClient
      const api = apiFrom(ofApi, wanted.name)
      return withClients(open, async (deps) =>
        told(deps.config.issuer, await created(deps, wanted, api), { api, chosen }),
      )
    }),
  )
}

function created(
  { clients, resources, database }: ClientCommandDeps,
  app: NewClient,
  api: ResourceInput | undefined,
): Promise<Registration> {
  return api
    ? createAppWithApi({ em: database.em, clients, resources }, app, api)
    : clients.create(app)
}

function told(
  issuer: string,
  made: Registration,
  { api, chosen }: { api: ResourceInput | undefined; chosen: ChosenPreset | undefined },
): Answer {
  const facts = { ...factsOf(issuer, made), OIDC_AUDIENCE: api?.identifier }
  const answer = { ...envAnswer(facts), notes: givenUpBy(registrationOf(made.client)) }
  return chosen ? withProduct(answer, chosen, issuer, made) : answer
}
