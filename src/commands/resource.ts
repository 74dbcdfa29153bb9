import { Command } from 'commander'
import type { ResourceInput } from '../clients/resource-fields.ts'
import type { Resources } from '../clients/resources.ts'
import { answering, envAnswer } from './answer.ts'
import { linesOf } from './client-document.ts'
import { explained } from './refusal.ts'
import { documentOf, factsOf, lineOf, pick } from './resource-document.ts'
import {
  addOptions,
  OPTIONS,
  type Options,
  settings,
  type UpdateOptions,
} from './resource-options.ts'

export interface ResourceCommandDeps extends AsyncDisposable {
  readonly resources: Resources
}

/** `gatehouse resource …`: the APIs that accept this server's access tokens. */
export function resourceCommand(open: () => Promise<ResourceCommandDeps>): Command {
  const command = new Command('resource').description('register APIs that accept access tokens')

  async function run<T>(work: (deps: ResourceCommandDeps) => Promise<T>): Promise<T> {
    await using deps = await open()
    return await explained(
      () => work(deps),
      OPTIONS,
      'There is no API of that identifier. "resource list" has them all.',
      'The API is of another version by now. See "resource show", and change that one.',
    )
  }

  const create = command
    .command('create')
    .description('register an API and print its settings as an .env file')
    .requiredOption(
      '--identifier <uri>',
      'its resource indicator (RFC 8707): an absolute URI, the audience of its tokens',
    )
  addOptions(create, { isChange: false }).action(
    answering(({ identifier, ...options }: Options & { identifier: string }) =>
      run(async ({ resources }) => {
        const wanted = { identifier, ...settings(options) } as ResourceInput
        const { scopes } = await resources.create(wanted)
        return envAnswer({ OIDC_AUDIENCE: identifier, OIDC_SCOPE: scopes.join(' ') })
      }),
    ),
  )

  command
    .command('show <identifier>')
    .description('how an API is registered, and for which clients, one fact a line')
    .action(
      answering((identifier: string) =>
        run(async ({ resources }) => {
          const { resource, clients } = await resources.get(identifier)
          const shown = { ...documentOf(resource), clients }
          return { lines: linesOf(shown), json: shown }
        }),
      ),
    )

  const update = command
    .command('update <identifier>')
    .description('change an API; what is not named stays as it is')
    .option('--if-version <number>', 'only if it is still of this version', Number)
    .option('--no-include-groups', 'take that back')
  addOptions(update, { isChange: true }).action(
    answering((identifier: string, { ifVersion, ...options }: UpdateOptions) =>
      run(async ({ resources }) => {
        const { resource: before } = await resources.get(identifier)
        const change = settings(options)
        const { scopes = before.scopes, scopeDescriptions } = change
        const words = { ...before.scopeDescriptions, ...scopeDescriptions }
        const { resource, changed } = await resources.update(
          identifier,
          { ...change, scopeDescriptions: pick(words, scopes) },
          { version: ifVersion },
        )
        const done =
          changed.length === 0
            ? `${identifier} is like that already.`
            : `${identifier} is changed, and is of version ${resource.version} now.`
        return { lines: [done], json: documentOf(resource) }
      }),
    ),
  )

  command
    .command('delete <identifier>')
    .description('take an API away that no client names')
    .option('--if-version <number>', 'only if it is still of this version', Number)
    .action(
      answering((identifier: string, { ifVersion }: UpdateOptions) =>
        run(async ({ resources }) => {
          await resources.delete(identifier, { version: ifVersion })
          return {
            lines: [`${identifier} is deleted; no token is issued for it any more.`],
            json: { identifier, state: 'deleted' },
          }
        }),
      ),
    )

  command
    .command('list')
    .description('all APIs, one a line: identifier, seconds, scopes, name, descriptions')
    .action(
      answering(async () => {
        await using deps = await open()
        const all = await deps.resources.list()
        return { lines: all.map(lineOf), json: all.map(factsOf) }
      }),
    )
  return command
}
