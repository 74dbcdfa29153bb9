import { createPrivateKey } from 'node:crypto'
import { z } from 'zod'
import { displayName } from '../clients/display-name.ts'
import type { MayName } from '../clients/logout-address.ts'
import { type Reason, reasonsOf, refused, saying } from '../clients/reasons.ts'
import type { Provider } from '../entities/index.ts'
import { isPublicHttps, plainlyWritten } from '../public-url.ts'
import { type ProviderSettings, SETTINGS } from './provider-settings.ts'
import { KINDS } from './providers/index.ts'

const KIND_NAMES = ['oidc', 'google', 'github', 'apple', 'microsoft'] as const

export const MAX_POSITION = 1000

/** What may be said of a provider, its secret apart. Unknown members are errors. */
const ProviderSchema = z.strictObject({
  /** A part of the callback's address. */
  id: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, saying('bad_provider_id')),
  kind: z.enum(KIND_NAMES),
  name: displayName,
  issuer: z.string().max(512).optional(),
  clientId: z.string().regex(/^[\x21-\x7e]{1,255}$/),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/))
    .min(1)
    .max(20),
  position: z.number().int().min(0).max(MAX_POSITION),
  settings: z.record(z.string(), z.unknown()),
})
export type CheckedProvider = Omit<z.infer<typeof ProviderSchema>, 'settings'> & {
  readonly settings: ProviderSettings
}

type Said = z.input<typeof ProviderSchema>
export type ProviderInput = { readonly [Field in keyof Said]?: Said[Field] | undefined } & {
  readonly kind: (typeof KIND_NAMES)[number]
}

/** Everything, with what is usual for its kind. Throws `invalid_input` with the reason for each field. */
export function parseProvider(input: ProviderInput, mayName: MayName): CheckedProvider {
  const kind = KINDS[input.kind]
  const usual = { id: input.kind, name: kind.title, scopes: [...kind.scopes], position: 0 }
  const given = Object.entries(input).filter(([, value]) => value !== undefined)
  const whole = ProviderSchema.safeParse({
    ...usual,
    settings: {},
    ...Object.fromEntries(given),
  })
  if (!whole.success) throw refused(reasonsOf(whole.error))
  const settings = SETTINGS[input.kind].safeParse(whole.data.settings)
  if (!settings.success) throw refused(reasonsOf(settings.error))
  const checked: CheckedProvider = { ...whole.data, settings: settings.data }
  const faults = Object.entries(faultsOf(checked, mayName)).filter(
    (entry): entry is [string, Reason] => entry[1] !== undefined,
  )
  if (faults.length > 0) throw refused(Object.fromEntries(faults))
  return checked
}

function faultsOf({ kind: name, issuer, scopes, settings }: CheckedProvider, mayName: MayName) {
  const kind = KINDS[name]
  const { domains, enforceForDomains, emailTrust } = settings
  const isFixed = issuer !== undefined && !kind.takesIssuer
  const isMissing = issuer === undefined && kind.issuer?.(settings) === undefined
  return {
    issuer: isFixed
      ? ({ code: 'issuer_fixed', values: { kind: kind.title } } as const)
      : isMissing
        ? ({ code: 'required' } as const)
        : issuer === undefined
          ? undefined
          : issuerFault(issuer, mayName),
    scopes:
      kind.speaks === 'openid' && !scopes.includes('openid')
        ? ({ code: 'openid_needed' } as const)
        : undefined,
    domains:
      domains.length === 0 && (enforceForDomains || emailTrust === 'domains')
        ? ({ code: 'domains_needed' } as const)
        : undefined,
  }
}

/** What the name resolves to is judged at each request. */
function issuerFault(issuer: string, mayName: MayName): Reason | undefined {
  const url = plainlyWritten(issuer)
  const isPlain = url?.protocol === 'https:' && !url.search && !issuer.endsWith('/')
  if (!url || !isPlain) return { code: 'bad_issuer' }
  return isPublicHttps(issuer) || mayName(url.hostname) ? undefined : { code: 'private_issuer' }
}

/** What is stored of it, without line breaks around it. Throws `invalid_input`. */
export function checkedSecret({ kind: name }: Pick<Provider, 'kind'>, secret: string): string {
  const kind = KINDS[name]
  const text = secret.trim()
  if (text === '') throw refused({ secret: { code: 'empty' } })
  if (kind.speaks === 'openid' && kind.secret && !isEs256Key(text))
    throw refused({ secret: { code: 'bad_provider_key' } })
  return text
}

function isEs256Key(pem: string): boolean {
  try {
    const { asymmetricKeyDetails } = createPrivateKey(pem)
    return asymmetricKeyDetails?.namedCurve === 'prime256v1'
  } catch {
    return false
  }
}
