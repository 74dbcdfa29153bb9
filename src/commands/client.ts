import { Command } from 'commander'
import type { Registration } from '../clients/clients.ts'
import { createCommand } from './client-create.ts'
import { type Open, withClients } from './with-clients.ts'

/** `gatehouse client …`. Prints what it was asked for on stdout and nothing else; reasons of a refusal go to stderr. */
export function clientCommand(open: Open): Command {
  const command = new Command('client').description('register apps and look after them')
  command.addCommand(createCommand(open))

  command
    .command('list')
    .description('all clients, one a line: id, type, state, name')
    .action(() => withClients(open, async ({ clients }) => (await clients.list()).map(line)))

  command
    .command('disable <id>')
    .description('shut an app out, on every instance, within seconds; its tokens end for good')
    .action((id: string) => withClients(open, ({ clients }) => clients.disable(id).then(() => [])))

  command
    .command('enable <id>')
    .description('let a disabled app in again')
    .action((id: string) => withClients(open, ({ clients }) => clients.enable(id).then(() => [])))

  command
    .command('rotate-secret <id>')
    .description('print a new secret; the old one ends at once')
    .action((id: string) => withClients(open, async ({ clients }) => [`OIDC_CLIENT_SECRET=${await clients.rotateSecret(id)}`]))
  return command
}

function line({ id, name, metadata, disabledAt }: Registration['client']): string {
  const isService = (metadata['response_types'] as readonly string[] | undefined)?.length === 0
  const ofPerson = metadata['application_type'] === 'native' ? 'native' : metadata['token_endpoint_auth_method'] === 'none' ? 'spa' : 'web'
  return [id, isService ? 'service' : ofPerson, disabledAt ? 'disabled' : 'enabled', name].join('\t')
}
