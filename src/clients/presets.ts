import { z } from 'zod'
import list from './presets.json' with { type: 'json' }
import {
  ASSERTION_AUDIENCES,
  AUTH_METHODS,
  type ClientInput,
  ID_TOKEN_CLAIMS,
  PKCE,
  TYPES,
} from './registration.ts'

/** What is known of a product from its manual: how it is registered, and what is typed into it. */
const PresetSchema = z.strictObject({
  title: z.string(),
  manual: z.url(),
  type: z.enum(TYPES).default('web'),
  authMethod: z.enum(AUTH_METHODS),
  pkce: z.enum(PKCE),
  scopes: z.array(z.string()),
  /** After the address of the installation; or whole, where it is always the same. */
  redirects: z.array(z.string()).min(1),
  /** The same of where people are sent after signing out, if it signs them out here too. */
  postLogout: z.array(z.string()).optional(),
  idTokenClaims: z.enum(ID_TOKEN_CLAIMS).optional(),
  /** Where it reads them, if it does. */
  groups: z.enum(['userinfo', 'id_token']).optional(),
  /** How its assertions are, if it authenticates with a key. */
  keyed: z
    .strictObject({
      assertionAudience: z.enum(ASSERTION_AUDIENCES),
      assertionSeconds: z.number(),
    })
    .optional(),
  /** Environment variables, or names that are found in its settings. */
  form: z.enum(['env', 'fields']),
  /** By its own names; `<client_id>` and the like are filled in. */
  settings: z.record(z.string(), z.string()),
})
export type Preset = z.output<typeof PresetSchema>

let read: ReadonlyMap<string, Preset> | undefined

/** By the word that names each on the command line; read by the commands that ask. */
export function presets(): ReadonlyMap<string, Preset> {
  read ??= new Map(Object.entries(z.record(z.string(), PresetSchema).parse(list)))
  return read
}

/** Whether its redirect URIs depend on where it is installed. */
export const needsUrl = ({ redirects }: Preset): boolean => redirects.some((each) => !isWhole(each))

/** Its registration; what the operator says besides comes first. */
export function presetInput(
  preset: Preset,
  url: string,
  said: Partial<ClientInput>,
): Partial<ClientInput> {
  const { title, type, authMethod, pkce, redirects, postLogout, idTokenClaims, keyed } = preset
  const hasKeys = said.jwks !== undefined || said.jwksUri !== undefined
  const whole = (each: string) => (isWhole(each) ? each : url + each)
  // Nothing is asked of people that the app would not be told.
  const seesGroups = said.groups !== undefined || said.isFirstParty === true
  return {
    name: title,
    type,
    pkce,
    scopes: preset.scopes.filter((scope) => scope !== 'groups' || seesGroups),
    redirectUris: redirects.map(whole),
    ...(postLogout && { postLogoutRedirectUris: postLogout.map(whole) }),
    ...(idTokenClaims && { idTokenClaims }),
    ...(hasKeys && keyed ? { ...keyed, authMethod: 'private_key_jwt' } : { authMethod }),
    ...said,
  }
}

/** What is typed into the product: a setting whose value there is not, such as a secret, is left out. */
export function filledIn(
  { settings }: Preset,
  values: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const filled = Object.entries(settings).flatMap(([name, template]) => {
    const wanted = [...template.matchAll(PLACE)].map(([, place = '']) => place)
    if (wanted.some((place) => values[place] === undefined)) return []
    return [[name, template.replaceAll(PLACE, (_all, place: string) => values[place] ?? '')]]
  })
  return Object.fromEntries(filled) as Readonly<Record<string, string>>
}

const PLACE = /<([a-z_ ]+)>/g
const isWhole = (redirect: string): boolean => redirect.includes('://')
