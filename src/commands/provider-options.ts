import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { StartupError } from '../errors.ts'
import { MAX_POSITION } from '../upstream/provider-input.ts'
import type { ProviderChange } from '../upstream/provider-store.ts'
import { wholeNumber } from './whole-number.ts'

/** Fields and the options that set them, for reasons of a refusal. */
export const PROVIDER_OPTIONS = {
  id: '--id',
  kind: '--type',
  name: '--name',
  issuer: '--issuer',
  clientId: '--client-id',
  secret: '--client-secret-file',
  scopes: '--scope',
  position: '--position',
  domains: '--domain',
  emailTrust: '--email-trust',
  signUp: '--sign-up',
  enforceForDomains: '--enforce-for-domains',
  trustAmr: '--trust-amr',
  hostedDomain: '--hosted-domain',
  tenants: '--tenant',
  teamId: '--team-id',
  keyId: '--key-id',
}

export interface ProviderOptions {
  readonly name?: string
  readonly issuer?: string
  readonly clientId?: string
  readonly clientSecretFile?: string
  readonly scope?: string[]
  readonly position?: number
  readonly domain?: string[] | false
  readonly emailTrust?: 'never' | 'claim' | 'domains'
  readonly signUp?: 'policy' | 'never'
  readonly enforceForDomains?: boolean
  readonly trustAmr?: boolean
  readonly hostedDomain?: string
  readonly tenant?: string[]
  readonly teamId?: string
  readonly keyId?: string
}

/** What is registered, and can be changed. */
export function addProviderOptions(
  command: Command,
  { isChange }: { readonly isChange: boolean },
): Command {
  const all = command
    .option('--name <name>', 'what its button says (default: the name of its type)')
    .option('--issuer <url>', 'for oidc and GitHub Enterprise Server: where it is')
    .addOption(
      new Option(
        '--client-id <id>',
        'what it calls this server (Apple: the Services ID)',
      ).makeOptionMandatory(!isChange),
    )
    .option(
      '--client-secret-file <path>',
      'file with the secret (Apple: the .p8 key), or - for standard input',
    )
    .option('--scope <scope...>', 'what is asked for there (default: what its type needs)')
    .option('--position <number>', 'order of its button; lower is earlier', (typed: string) =>
      wholeNumber('--position', typed, MAX_POSITION, 0),
    )
    .option('--domain <domain...>', 'domains of addresses that belong to it')
    .addOption(
      new Option(
        '--email-trust <whom>',
        'whose word proves an address: never, its claim, or its claim on the --domain ones',
      ).choices(['never', 'claim', 'domains']),
    )
    .addOption(
      new Option(
        '--sign-up <who>',
        'whether people come by it who have no account here: policy (as anybody), never',
      ).choices(['policy', 'never']),
    )
    .option('--enforce-for-domains', 'people of its --domain sign in there and nowhere else')
    .option('--trust-amr', 'believe what it says of how a person signed in, two factors included')
    .option('--hosted-domain <domain>', 'Google: only people of this Workspace')
    .option('--tenant <id...>', 'Microsoft: only people of these tenants')
    .option('--team-id <id>', 'Apple: the team of the key')
    .option('--key-id <id>', 'Apple: the id of the key')
  return isChange
    ? all
        .option('--no-domain', 'no domain belongs to it any more')
        .option('--no-enforce-for-domains', 'take that back')
        .option('--no-trust-amr', 'take that back')
    : all
}

/** What was typed, as fields, and the secret from its file. */
export function providerFields(options: ProviderOptions): ProviderChange {
  const { name, issuer, clientId, clientSecretFile, scope, position, domain } = options
  const { emailTrust, signUp, enforceForDomains, trustAmr } = options
  const { hostedDomain, tenant, teamId, keyId } = options
  const said = Object.entries({
    domains: domain === false ? [] : domain,
    emailTrust,
    signUp,
    enforceForDomains,
    trustAmr,
    hostedDomain,
    tenants: tenant,
    teamId,
    keyId,
  }).filter(([, value]) => value !== undefined)
  return {
    name,
    issuer,
    clientId,
    scopes: scope,
    position,
    ...(said.length > 0 ? { settings: Object.fromEntries(said) } : {}),
    secret: clientSecretFile === undefined ? undefined : secretIn(clientSecretFile),
  }
}

function secretIn(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (cause) {
    throw new StartupError(`--client-secret-file: ${path} is not a readable file`, { cause })
  }
}
