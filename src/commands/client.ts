import { Command } from 'commander'
import type { Registration } from '../clients/clients.ts'
import { registrationOf } from '../clients/metadata.ts'
import type { AccountApiUse } from '../entities/client.ts'
import { StartupError } from '../errors.ts'
import { answering, envAnswer } from './answer.ts'
import { createCommand } from './client-create.ts'
import { presetsCommand } from './client-preset.ts'
import { secretCommand } from './client-secret.ts'
import { deleteCommand, showCommand, updateCommand } from './client-update.ts'
import { type Open, withClients } from './with-clients.ts'

/**
 * `gatehouse client …`. Prints what it was asked for, or has done, on stdout; reasons of a refusal
 * go to stderr.
 */
export function clientCommand(open: Open): Command {
  const command = new Command('client').description('register apps and look after them')
  command
    .addCommand(createCommand(open))
    .addCommand(presetsCommand())
    .addCommand(showCommand(open))
    .addCommand(updateCommand(open))
    .addCommand(deleteCommand(open))
    .addCommand(secretCommand(open))

  command
    .command('list')
    .description(
      'all clients, one a line: id, type, state, name, and whether it may manage accounts',
    )
    .action(
      answering(() =>
        withClients(open, async ({ clients }) => {
          const all = await clients.list()
          return { lines: all.map(line), json: all.map(facts) }
        }),
      ),
    )

  command
    .command('disable <id>')
    .description('shut an app out, on every instance, within seconds; its tokens end for good')
    .action(
      answering((id: string) =>
        withClients(open, async ({ clients }) => {
          await clients.disable(id)
          return {
            lines: [`${id} is disabled; its tokens have ended.`],
            json: { id, state: 'disabled' },
          }
        }),
      ),
    )

  command
    .command('enable <id>')
    .description('let a disabled app in again')
    .action(
      answering((id: string) =>
        withClients(open, async ({ clients }) => {
          await clients.enable(id)
          return {
            lines: [`${id} is enabled; people sign in to it again.`],
            json: { id, state: 'enabled' },
          }
        }),
      ),
    )

  command
    .command('account-api <id> <on|off>')
    .description(
      'whether people may let this app manage their account; off ends what it holds for that at once',
    )
    .action(
      answering((id: string, wanted: string) =>
        withClients(open, async ({ clients }) => {
          if (wanted !== 'on' && wanted !== 'off')
            throw new StartupError('account-api: say "on" or "off".')
          await clients.setAccountApi(id, wanted === 'on')
          const can =
            wanted === 'on' ? 'may be allowed to manage accounts' : 'may manage no account any more'
          return { lines: [`${id} ${can}.`], json: { id, account_api: wanted } }
        }),
      ),
    )

  command
    .command('rotate-secret <id>')
    .description('print a new secret; the old one ends at once')
    .action(
      answering((id: string) =>
        withClients(open, async ({ clients }) =>
          envAnswer({ OIDC_CLIENT_SECRET: await clients.rotateSecret(id) }),
        ),
      ),
    )
  return command
}

const ACCOUNT_API = {
  off: [],
  on: ['account API'],
  kept: ['account API, as before; settle it: client account-api <id> on|off'],
} as const satisfies Record<AccountApiUse, readonly string[]>

type Client = Registration['client']

function facts(client: Client) {
  const { id, name, accountApi, disabledAt } = client
  return {
    id,
    type: registrationOf(client).type,
    state: disabledAt ? 'disabled' : 'enabled',
    name,
    account_api: accountApi,
  }
}

function line(client: Client): string {
  const { id, type, state, name, account_api: accountApi } = facts(client)
  return [id, type, state, name, ...ACCOUNT_API[accountApi as AccountApiUse]].join('\t')
}
