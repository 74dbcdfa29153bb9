import { type Command, Option } from 'commander'
import type { ResourceChange, ResourceInput } from '../clients/resource-fields.ts'
import { scopesOf } from './resource-scopes.ts'

export const OPTIONS = {
  identifier: '--identifier',
  name: '--name',
  scopes: '--scope',
  scopeDescriptions: '--scope',
  accessTokenSeconds: '--lifetime',
  includeGroups: '--include-groups',
  signingAlg: '--signing-alg',
  tokenTyp: '--token-typ',
  opensUserinfo: '--userinfo',
  servedBy: '--served-by',
}

export interface Options {
  readonly name?: string
  readonly scope?: string[]
  readonly lifetime?: number
  readonly includeGroups?: boolean
  readonly signingAlg?: ResourceInput['signingAlg']
  readonly tokenTyp?: ResourceInput['tokenTyp']
  readonly userinfo?: boolean
  /** False: by nobody any more. */
  readonly servedBy?: string | false
}

export interface UpdateOptions extends Options {
  readonly ifVersion?: number
}

/** What is registered, and can be changed. */
export function addOptions(command: Command, { isChange }: { isChange: boolean }): Command {
  const all = command
    .addOption(
      new Option(
        '--name <name>',
        'what people see when an app asks for access to it',
      ).makeOptionMandatory(!isChange),
    )
    .addOption(
      new Option(
        '--scope <scope...>',
        'what may be allowed there, all of it; with words for people: "notes:read=Read your notes"',
      ).makeOptionMandatory(!isChange),
    )
    .option('--lifetime <seconds>', 'how long its access tokens live (default: 600)', Number)
    .option('--include-groups', 'its access tokens name the groups of the person')
    .addOption(
      new Option('--signing-alg <alg>', 'signature of its access tokens').choices([
        'ES256',
        'RS256',
      ]),
    )
    .addOption(
      new Option(
        '--token-typ <typ>',
        'type of its access tokens; JWT for verifiers that refuse at+jwt (default: at+jwt)',
      ).choices(['at+jwt', 'JWT']),
    )
    .option(
      '--userinfo',
      'an API of your own: its tokens also tell it, by userinfo, who the person is',
    )
    .option('--served-by <client>', 'the client as which it asks whether a token is still good')
  return isChange
    ? all
        .option('--no-userinfo', 'its tokens are for itself only')
        .option('--no-served-by', 'it asks no more')
    : all
}

export const settings = (options: Options): ResourceChange => {
  const { name, scope, lifetime, includeGroups, signingAlg, tokenTyp, userinfo, servedBy } = options
  return {
    name,
    ...(scope ? scopesOf(scope) : {}),
    accessTokenSeconds: lifetime,
    includeGroups,
    signingAlg,
    tokenTyp,
    opensUserinfo: userinfo,
    servedBy: servedBy === false ? null : servedBy,
  }
}
