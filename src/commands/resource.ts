import { Command, Option } from 'commander'
import type { ResourceInput, Resources } from '../clients/resources.ts'
import { answering, envAnswer } from './answer.ts'
import { explained } from './refusal.ts'

export interface ResourceCommandDeps extends AsyncDisposable {
  readonly resources: Resources
}

const OPTIONS = {
  identifier: '--identifier',
  name: '--name',
  scopes: '--scope',
  accessTokenSeconds: '--lifetime',
  signingAlg: '--signing-alg',
}

interface CreateOptions {
  readonly identifier: string
  readonly name: string
  readonly scope: string[]
  readonly lifetime?: number
  readonly signingAlg?: ResourceInput['signingAlg']
}

/** `gatehouse resource …`: the APIs that accept this server's access tokens. */
export function resourceCommand(open: () => Promise<ResourceCommandDeps>): Command {
  const command = new Command('resource').description('register APIs that accept access tokens')

  command
    .command('create')
    .description('register an API and print its settings as an .env file')
    .requiredOption(
      '--identifier <uri>',
      'its resource indicator (RFC 8707): an absolute URI, the audience of its tokens',
    )
    .requiredOption('--name <name>', 'what people see when an app asks for access to it')
    .requiredOption('--scope <scope...>', 'what may be allowed there')
    .option('--lifetime <seconds>', 'how long its access tokens live (default: 600)', Number)
    .addOption(
      new Option('--signing-alg <alg>', 'signature of its access tokens').choices([
        'ES256',
        'RS256',
      ]),
    )
    .action(
      answering(async ({ identifier, name, scope, lifetime, signingAlg }: CreateOptions) => {
        await using deps = await open()
        const scopes = scope.flatMap((value) => value.split(' ').filter(Boolean))
        await explained(
          () =>
            deps.resources.create({
              identifier,
              name,
              scopes,
              accessTokenSeconds: lifetime,
              signingAlg,
            }),
          OPTIONS,
        )
        return envAnswer({ OIDC_AUDIENCE: identifier, OIDC_SCOPE: scopes.join(' ') })
      }),
    )

  command
    .command('list')
    .description('all APIs, one a line: identifier, seconds, scopes, name')
    .action(
      answering(async () => {
        await using deps = await open()
        const all = await deps.resources.list()
        return {
          lines: all.map(({ identifier, accessTokenSeconds, scopes, name }) =>
            [identifier, accessTokenSeconds, scopes.join(' '), name].join('\t'),
          ),
          json: all.map(({ identifier, accessTokenSeconds, scopes, name }) => ({
            identifier,
            access_token_seconds: accessTokenSeconds,
            scopes,
            name,
          })),
        }
      }),
    )
  return command
}
