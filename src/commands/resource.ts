import { Command, Option } from 'commander'
import type { ResourceInput, Resources } from '../clients/resources.ts'
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
    .requiredOption('--identifier <uri>', 'its resource indicator (RFC 8707): an absolute URI, the audience of its tokens')
    .requiredOption('--name <name>', 'what people see when an app asks for access to it')
    .requiredOption('--scope <scope...>', 'what may be allowed there')
    .option('--lifetime <seconds>', 'how long its access tokens live (default: 600)', Number)
    .addOption(new Option('--signing-alg <alg>', 'signature of its access tokens').choices(['ES256', 'RS256']))
    .action(async ({ identifier, name, scope, lifetime, signingAlg }: CreateOptions) => {
      await using deps = await open()
      const scopes = scope.flatMap((value) => value.split(' ').filter(Boolean))
      await explained(() => deps.resources.create({ identifier, name, scopes, accessTokenSeconds: lifetime, signingAlg }), OPTIONS)
      process.stdout.write(`OIDC_AUDIENCE=${identifier}\nOIDC_SCOPE=${scopes.join(' ')}\n`)
    })

  command
    .command('list')
    .description('all APIs, one a line: identifier, seconds, scopes, name')
    .action(async () => {
      await using deps = await open()
      for (const { identifier, accessTokenSeconds, scopes, name } of await deps.resources.list())
        process.stdout.write(`${[identifier, accessTokenSeconds, scopes.join(' '), name].join('\t')}\n`)
    })
  return command
}
