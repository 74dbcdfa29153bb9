import { errors } from 'oidc-provider'
import type { ResourceServers } from '../clients/resource-servers.ts'

type Named = string | readonly string[] | undefined

/**
 * The APIs that a request names: `audience` is another word for `resource` (RFC 8707) if there is
 * such an API, and else means nothing. Throws `invalid_target` where the two differ.
 */
export async function namedApis(
  apis: Pick<ResourceServers, 'isRegistered'>,
  { resource, audience }: { readonly resource?: Named; readonly audience?: Named },
): Promise<readonly string[]> {
  const named = [resource ?? []].flat().filter(Boolean)
  if (typeof audience !== 'string' || audience === '') return named
  if (named.some((each) => each !== audience))
    throw new errors.InvalidTarget('resource and audience must be the same')
  return named.length > 0 || !(await apis.isRegistered(audience)) ? named : [audience]
}
