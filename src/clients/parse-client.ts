import { z } from 'zod'
import { checkJwks } from './jwks.ts'
import { checkLogoutUri, type MayName } from './logout-address.ts'
import { type Reason, reasonsOf, refused } from './reasons.ts'
import { checkRedirectUri } from './redirect-uri.ts'
import {
  type AUTH_METHODS,
  type CheckedClient,
  ClientSchema,
  type GRANT_TYPES,
  TYPES,
} from './registration.ts'
import { contradictions, mixture } from './registration-rules.ts'

type Type = (typeof TYPES)[number]

/** Throws `invalid_input` with the reason for each field that is wrong. */
export function parseClient(input: unknown, mayName: MayName = () => false): CheckedClient {
  const parsed = ClientSchema.safeParse(input)
  if (!parsed.success) throw refused({ ...faultyUris(input, mayName), ...reasonsOf(parsed.error) })
  const wanted = {
    ...parsed.data,
    grantTypes: parsed.data.grantTypes ?? usualGrants(parsed.data.type),
    authMethod: parsed.data.authMethod ?? usualAuth(parsed.data.type),
  }
  const faulty = faultyUris(wanted, mayName)
  const mixed = Object.keys(faulty).length > 0 ? {} : mixture(wanted)
  const faults = { ...faulty, ...mixed, ...contradictions(wanted) }
  const keys = wanted.jwks === undefined ? undefined : checkJwks(wanted.jwks)
  if (keys && 'refused' in keys) faults['jwks'] = keys.refused
  if (Object.keys(faults).length > 0) throw refused(faults)
  return keys && 'jwks' in keys ? { ...wanted, jwks: keys.jwks } : wanted
}

const usualGrants = (type: Type): (typeof GRANT_TYPES)[number][] =>
  type === 'service' ? ['client_credentials'] : ['authorization_code', 'refresh_token']
const usualAuth = (type: Type): (typeof AUTH_METHODS)[number] =>
  type === 'web' || type === 'service' ? 'client_secret_basic' : 'none'

const Uris = z.object({
  type: z.enum(TYPES).catch('web'),
  redirectUris: z.array(z.string()).catch([]),
  postLogoutRedirectUris: z.array(z.string()).catch([]),
  allowPrivateRedirect: z.boolean().catch(false),
  backchannelLogoutUri: z.string().optional().catch(undefined),
  backchannelHttp: z.boolean().catch(false),
})

/** Says what is wrong with each URI, whatever else is wrong. */
function faultyUris(input: unknown, mayName: MayName): Record<string, Reason> {
  const { success, data } = Uris.safeParse(input)
  if (!success) return {}
  const { type, allowPrivateRedirect, backchannelLogoutUri, backchannelHttp, ...lists } = data
  const faults: Record<string, Reason> = {}
  const logout =
    backchannelLogoutUri === undefined
      ? undefined
      : checkLogoutUri(backchannelLogoutUri, { isPlain: backchannelHttp, mayName })
  if (logout) faults['backchannelLogoutUri'] = logout
  for (const [field, list] of Object.entries(lists))
    for (const [index, uri] of list.entries()) {
      const reason = checkRedirectUri(uri, { type, allowPrivateRedirect })
      if (reason) faults[`${field}.${index}`] = reason
    }
  return faults
}
