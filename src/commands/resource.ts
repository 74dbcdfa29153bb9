import { Command, Option } from 'commander'
import type { ResourceInput, Resources } from '../clients/resources.ts'
import { StartupError } from '../errors.ts'
import { answering, envAnswer } from './answer.ts'
import { explained } from './refusal.ts'

export interface ResourceCommandDeps extends AsyncDisposable {
  readonly resources: Resources
}

const OPTIONS = {
  identifier: '--identifier',
  name: '--name',
  scopes: '--scope',
  scopeDescriptions: '--scope',
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
    .requiredOption(
      '--scope <scope...>',
      'what may be allowed there; with words for people: "notes:read=Read your notes"',
    )
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
        const { scopes, scopeDescriptions } = scopesOf(scope)
        await explained(
          () =>
            deps.resources.create({
              identifier,
              name,
              scopes,
              scopeDescriptions,
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
    .description('all APIs, one a line: identifier, seconds, scopes, name, descriptions')
    .action(
      answering(async () => {
        await using deps = await open()
        const all = await deps.resources.list()
        return { lines: all.map(line), json: all.map(facts) }
      }),
    )
  return command
}

/**
 * `read write` are two scopes; `read=Read your notes` is one, described by all that follows its
 * sign.
 */
function scopesOf(values: readonly string[]) {
  const scopes: string[] = []
  const described: [scope: string, description: string][] = []
  for (const value of values) {
    const [names = '', ...rest] = value.split('=')
    const found = names.split(' ').filter(Boolean)
    scopes.push(...found)
    if (rest.length === 0) continue
    const last = found.at(-1)
    if (last === undefined) throw new StartupError(`--scope: "${value}" describes no scope`)
    if (rest.length > 1)
      throw new StartupError(
        `--scope: "${value}" describes more than one scope; give each of them a value of its own`,
      )
    described.push([last, (rest[0] ?? '').trim()])
  }
  return { scopes, scopeDescriptions: Object.fromEntries(described) }
}

type Resource = Awaited<ReturnType<Resources['list']>>[number]

function facts({ identifier, accessTokenSeconds, scopes, scopeDescriptions, name }: Resource) {
  return {
    identifier,
    access_token_seconds: accessTokenSeconds,
    scopes,
    scope_descriptions: scopeDescriptions,
    name,
  }
}

function line({ identifier, accessTokenSeconds, scopes, scopeDescriptions, name }: Resource) {
  const described = scopes.filter((scope) => Object.hasOwn(scopeDescriptions, scope))
  const words = described.map((scope) => `${scope}=${scopeDescriptions[scope]}`)
  return [identifier, accessTokenSeconds, scopes.join(' '), name, ...words].join('\t')
}
