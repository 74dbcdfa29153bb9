import { Command } from 'commander'
import { registrationOf } from '../clients/metadata.ts'
import { givenUpBy } from '../clients/needed-switch.ts'
import { StartupError } from '../errors.ts'
import { answering } from './answer.ts'
import { changeOf, documentOf, linesOf } from './client-document.ts'
import { OPTION_NAMES } from './client-options.ts'
import { addFieldOptions, changeFrom } from './field-options.ts'
import { readJson } from './files.ts'
import { type Open, withClients } from './with-clients.ts'

interface UpdateOptions {
  readonly from?: string
  readonly ifVersion?: number
}

/** `gatehouse client show`. */
export function showCommand(open: Open): Command {
  return new Command('show')
    .argument('<id>')
    .description('how a client is registered, one fact a line; --json for "client update --from"')
    .action(
      answering((id: string) =>
        withClients(open, async ({ clients }) => {
          const document = documentOf((await clients.get(id)).client)
          return { lines: linesOf(document), json: document }
        }),
      ),
    )
}

/** `gatehouse client update`. */
export function updateCommand(open: Open): Command {
  const command = new Command('update')
    .argument('<id>')
    .description('change how a client is registered; what is not named stays as it is')
    .option('--from <file>', 'the whole client as "client show --json" prints it; "-" is stdin')
    .option('--if-version <number>', 'only if it is still of this version', Number)
  return addFieldOptions(command, { isChange: true }).action(
    answering((id: string, { from, ifVersion }: UpdateOptions) =>
      withClients(open, async ({ clients }) => {
        const whole = from === undefined ? undefined : changeOf(readJson('--from', from), id)
        const change = { ...whole?.change, ...changeFrom(command) }
        if (whole === undefined && Object.keys(change).length === 0)
          throw new StartupError('Say what to change: see "client update --help".')
        const version = ifVersion ?? whole?.version
        const { client, changed, secret } = await clients.update(id, change, { version })
        const names = changed.map((field) => OPTION_NAMES[field]?.replace('--', '') ?? field)
        const done =
          changed.length === 0
            ? `${id} is like that already.`
            : `${id} is changed (${names.join(', ')}), and is of version ${client.version} now.`
        return {
          lines: [done, ...(secret ? [`OIDC_CLIENT_SECRET=${secret}`] : [])],
          json: { ...documentOf(client), ...(secret ? { secret } : {}) },
          notes: changed.includes('pkce') ? givenUpBy(registrationOf(client)) : [],
        }
      }),
    ),
  )
}

/** `gatehouse client delete`. */
export function deleteCommand(open: Open): Command {
  return new Command('delete')
    .argument('<id>')
    .description('take an app away with all that people allowed it; "disable" can be undone')
    .option('--if-version <number>', 'only if it is still of this version', Number)
    .action(
      answering((id: string, { ifVersion }: UpdateOptions) =>
        withClients(open, async ({ clients }) => {
          const { consents } = await clients.delete(id, { version: ifVersion })
          const forgotten =
            consents === 0
              ? 'Nobody had allowed it anything.'
              : `What ${consents === 1 ? 'one person' : `${consents} people`} allowed it is forgotten.`
          return {
            lines: [`${id} is deleted; its grants and tokens have ended. ${forgotten}`],
            json: { id, state: 'deleted', consents },
          }
        }),
      ),
    )
}
