import { Command } from 'commander'
import type { NewClient, Registration } from '../clients/clients.ts'
import { registrationOf } from '../clients/metadata.ts'
import { givenUpBy } from '../clients/needed-switch.ts'
import { type Answer, answering, envAnswer } from './answer.ts'
import { addFieldOptions, changeFrom } from './field-options.ts'
import { type Open, withClients } from './with-clients.ts'

/** `gatehouse client create`. */
export function createCommand(open: Open): Command {
  const command = new Command('create')
    .description('register an app and print its settings as an .env file')
    .option('--id <id>', 'its client_id, if not a random one')
  return addFieldOptions(command, { isChange: false }).action(
    answering(({ id }: { id?: string }) =>
      withClients(open, async ({ clients, config }) => {
        const wanted = { ...changeFrom(command), id } as NewClient
        return settingsOf(config.issuer, await clients.create(wanted))
      }),
    ),
  )
}

export function settingsOf(issuer: string, { client, secret }: Registration): Answer {
  const registration = registrationOf(client)
  const answer = envAnswer({
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: client.id,
    OIDC_CLIENT_SECRET: secret,
    OIDC_REDIRECT_URI: registration.redirectUris[0],
  })
  return { ...answer, notes: givenUpBy(registration) }
}
