import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import type { ClientInput, Registration } from '../clients/clients.ts'
import { AUTH_METHODS, GRANT_TYPES, ROTATIONS } from '../clients/registration.ts'
import { StartupError } from '../errors.ts'
import { type Answer, answering, envAnswer } from './answer.ts'
import { type Open, withClients } from './with-clients.ts'

/** `gatehouse client create`. */
export function createCommand(open: Open): Command {
  return new Command('create')
    .description('register an app and print its settings as an .env file')
    .requiredOption('--name <name>', 'what people see when it asks to sign them in')
    .option('--redirect <uri...>', 'where people are sent back to, exactly as the app sends it')
    .addOption(
      new Option('--type <type>', 'what kind of app it is')
        .choices(['web', 'spa', 'native', 'service'])
        .default('web'),
    )
    .option('--post-logout-redirect <uri...>', 'where people may be sent after signing out')
    .option(
      '--resource <identifier...>',
      'an API it may get access tokens for (see: resource create)',
    )
    .option(
      '--scope <scope...>',
      'all it may ever ask for; default: openid profile email offline_access, and all of its APIs',
    )
    .addOption(
      new Option('--grant <type...>', 'grant types, if not the usual ones').choices(GRANT_TYPES),
    )
    .addOption(
      new Option('--auth-method <method>', 'how it authenticates, if not the usual way').choices(
        AUTH_METHODS,
      ),
    )
    .option('--jwks <file>', 'public keys for private_key_jwt, as a JSON file')
    .option('--jwks-uri <uri>', 'where its public keys are published')
    .option('--first-party', "the operator's own app: people are not asked for consent")
    .option(
      '--account-api',
      'people may let it manage their account with tokens for <issuer>/api/auth',
    )
    .option('--require-mfa', 'people must use two-step sign-in for it')
    .addOption(
      new Option('--id-token-alg <alg>', 'signature of its ID tokens').choices([
        'ES256',
        'RS256',
        'PS256',
        'EdDSA',
      ]),
    )
    .option(
      '--refresh-leeway <seconds>',
      'how long a refresh token that was used gives the same answer again',
      Number,
    )
    .addOption(
      new Option('--refresh-rotation <when>', 'whether a refresh gives a new refresh token')
        .choices(ROTATIONS)
        .default('always'),
    )
    .option('--uri <uri>', 'its home page')
    .option(
      '--logo <uri>',
      'its logo: a PNG, JPEG or WebP picture of at most 256 kB, of which a copy is kept',
    )
    .option('--privacy <uri>', 'its privacy policy')
    .option('--terms <uri>', 'its terms')
    .option('--backchannel-logout <uri>', 'where it is told that a person has signed out')
    .action(
      answering((options: CreateOptions) =>
        withClients(open, async ({ clients, config }) =>
          settingsOf(config.issuer, await clients.create(inputFrom(options))),
        ),
      ),
    )
}

interface CreateOptions {
  readonly name: string
  readonly type: NonNullable<ClientInput['type']>
  readonly redirect?: string[]
  readonly postLogoutRedirect?: string[]
  readonly resource?: string[]
  readonly scope?: string[]
  readonly grant?: ClientInput['grantTypes']
  readonly authMethod?: ClientInput['authMethod']
  readonly jwks?: string
  readonly jwksUri?: string
  readonly firstParty?: boolean
  readonly accountApi?: boolean
  readonly requireMfa?: boolean
  readonly idTokenAlg?: ClientInput['idTokenAlg']
  readonly refreshLeeway?: number
  readonly refreshRotation: ClientInput['refreshRotation']
  readonly uri?: string
  readonly logo?: string
  readonly privacy?: string
  readonly terms?: string
  readonly backchannelLogout?: string
}

function inputFrom(options: CreateOptions): ClientInput {
  return {
    name: options.name,
    type: options.type,
    redirectUris: options.redirect,
    postLogoutRedirectUris: options.postLogoutRedirect,
    resources: options.resource,
    scopes: options.scope?.flatMap((value) => value.split(' ').filter(Boolean)),
    grantTypes: options.grant,
    authMethod: options.authMethod,
    jwks: options.jwks === undefined ? undefined : readJson(options.jwks),
    jwksUri: options.jwksUri,
    isFirstParty: options.firstParty,
    accountApi: options.accountApi,
    requireMfa: options.requireMfa,
    idTokenAlg: options.idTokenAlg,
    refreshLeewaySeconds: options.refreshLeeway,
    refreshRotation: options.refreshRotation,
    clientUri: options.uri,
    logoUri: options.logo,
    policyUri: options.privacy,
    tosUri: options.terms,
    backchannelLogoutUri: options.backchannelLogout,
  }
}

function settingsOf(issuer: string, { client, secret }: Registration): Answer {
  const [redirect] = client.metadata['redirect_uris'] as readonly string[]
  return envAnswer({
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: client.id,
    OIDC_CLIENT_SECRET: secret,
    OIDC_REDIRECT_URI: redirect,
  })
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    throw new StartupError(`--jwks: ${path} is not a readable JSON file`)
  }
}
