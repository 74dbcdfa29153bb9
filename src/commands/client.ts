import { Command } from 'commander'
import { isService, type Registration } from '../clients/clients.ts'
import type { AccountApiUse } from '../entities/client.ts'
import { StartupError } from '../errors.ts'
import { createCommand } from './client-create.ts'
import { type Open, withClients } from './with-clients.ts'

/** `gatehouse client …`. Prints what it was asked for on stdout and nothing else; reasons of a refusal go to stderr. */
export function clientCommand(open: Open): Command {
  const command = new Command('client').description('register apps and look after them')
  command.addCommand(createCommand(open))

  command
    .command('list')
    .description('all clients, one a line: id, type, state, name, and whether it may manage accounts')
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
    .command('account-api <id> <on|off>')
    .description('whether people may let this app manage their account; off ends what it holds for that at once')
    .action((id: string, wanted: string) =>
      withClients(open, async ({ clients }) => {
        if (wanted !== 'on' && wanted !== 'off') throw new StartupError('account-api: say "on" or "off".')
        await clients.setAccountApi(id, wanted === 'on')
        return []
      }),
    )

  command
    .command('rotate-secret <id>')
    .description('print a new secret; the old one ends at once')
    .action((id: string) => withClients(open, async ({ clients }) => [`OIDC_CLIENT_SECRET=${await clients.rotateSecret(id)}`]))
  return command
}

const ACCOUNT_API = {
  off: [],
  on: ['account API'],
  kept: ['account API, as before; settle it: client account-api <id> on|off'],
} as const satisfies Record<AccountApiUse, readonly string[]>

function line({ id, name, metadata, accountApi, disabledAt }: Registration['client']): string {
  const ofPerson = metadata['application_type'] === 'native' ? 'native' : metadata['token_endpoint_auth_method'] === 'none' ? 'spa' : 'web'
  return [
    id,
    isService(metadata) ? 'service' : ofPerson,
    disabledAt ? 'disabled' : 'enabled',
    name,
    ...ACCOUNT_API[accountApi as AccountApiUse],
  ].join('\t')
}
