import { Command } from 'commander'
import type { ClientInput, Registration } from '../clients/clients.ts'
import { registrationOf } from '../clients/metadata.ts'
import { filledIn, needsUrl, type Preset, presetInput, presets } from '../clients/presets.ts'
import { StartupError } from '../errors.ts'
import { type Answer, answering, envAnswer } from './answer.ts'
import { endpointsOf } from './client-facts.ts'

export interface ChosenPreset {
  readonly preset: Preset
  readonly url: string
  readonly input: Partial<ClientInput>
}

/** The product that was named, with what the operator says besides. */
export function chosenPreset(
  {
    preset: name,
    url,
  }: { readonly preset?: string | undefined; readonly url?: string | undefined },
  said: Partial<ClientInput>,
): ChosenPreset | undefined {
  if (name === undefined) {
    if (url !== undefined) throw new StartupError('--url: is for --preset')
    return undefined
  }
  const preset = presets().get(name)
  if (!preset)
    throw new StartupError(`--preset: nothing is known of ${name}; "client presets" has them all`)
  const redirects = said.redirectUris ?? preset.redirects
  const address = url ?? redirects.find((uri) => /^https?:/.test(uri) && URL.canParse(uri))
  if (address === undefined || (url === undefined && !said.redirectUris && needsUrl(preset)))
    throw new StartupError(`--url: say where ${preset.title} is, as people see it`)
  const base = baseOf(address, url !== undefined)
  return { preset, url: base, input: presetInput(preset, base, said) }
}

/** Without a slash at its end; of a redirect URI the origin. */
function baseOf(text: string, isUrl: boolean): string {
  const url = URL.parse(text)
  if (!url || !['http:', 'https:'].includes(url.protocol) || (isUrl && (url.search || url.hash)))
    throw new StartupError(`--url: ${text} is not the address of a web site`)
  return isUrl ? url.href.replace(/\/+$/, '') : url.origin
}

/** The answer, with what is typed into the product. */
export function withProduct(
  answer: Answer,
  { preset, url }: ChosenPreset,
  issuer: string,
  { client, secret }: Registration,
): Answer {
  const { title, manual, form, groups } = preset
  const registration = registrationOf(client)
  const { scopes, redirectUris, authMethod, idTokenAlg } = registration
  const endpoints = endpointsOf(issuer)
  const pathOf = (endpoint: string) => new URL(endpoint).pathname
  const settings = filledIn(preset, {
    ...endpoints,
    'authorization path': pathOf(endpoints.authorization),
    'token path': pathOf(endpoints.token),
    'userinfo path': pathOf(endpoints.userinfo),
    issuer,
    url,
    client_id: client.id,
    client_secret: secret,
    redirect: redirectUris[0],
    method: authMethod,
    alg: idTokenAlg,
    scopes: scopes.join(' '),
    'scopes by comma': scopes.join(','),
    'scopes list': JSON.stringify(scopes),
    groups: scopes.includes('groups') ? 'groups' : undefined,
  })
  const lines =
    form === 'env'
      ? envAnswer(settings).lines
      : Object.entries(settings).map(([name, value]) => `#   ${name}: ${value}`)
  const isBlind = groups !== undefined && !scopes.includes('groups')
  return {
    lines: [...answer.lines, '', `# ${title}, see ${manual}`, ...lines],
    json: { ...(answer.json as object), product: { title, manual, settings } },
    notes: [
      ...(answer.notes ?? []),
      ...(isBlind
        ? [
            `${title} can use groups: --groups names those that it may see, or --first-party shows it all.`,
          ]
        : []),
    ],
  }
}

/** `gatehouse client presets`. */
export function presetsCommand(): Command {
  return new Command('presets')
    .description('products that "client create --preset" knows, one a line, with their manuals')
    .action(
      answering(async () => {
        const all = [...presets()].map(([id, preset]) => {
          const { title, authMethod, pkce, scopes, groups, redirects, manual } = preset
          return {
            id,
            title,
            auth_method: authMethod,
            pkce,
            scopes,
            groups: groups ?? null,
            redirects,
            manual,
          }
        })
        return {
          lines: all.map(({ id, title, auth_method: method, pkce, groups, manual }) =>
            [id, title, method, `PKCE ${pkce}`, groups ? `groups: ${groups}` : '', manual].join(
              '\t',
            ),
          ),
          json: all,
        }
      }),
    )
}
