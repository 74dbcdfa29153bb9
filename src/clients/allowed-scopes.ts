import { LockMode } from '@mikro-orm/core'
import type { EntityManager } from '../database/database.ts'
import { Resource } from '../entities/index.ts'
import { refused } from './reasons.ts'
import type { CheckedClient, ClientRegistration } from './registration.ts'
import { DEFAULT_SCOPES, OIDC_SCOPES } from './scopes.ts'

/** An API that apps can be registered for. */
export interface OfferedApi {
  readonly identifier: string
  readonly scopes: readonly string[]
}

export interface ScopeChoice {
  /** The server's own API, which has no row. */
  readonly accountApi?: OfferedApi | undefined
  /** What was meant until now, if the scopes are to follow the APIs from there. */
  readonly before?: ClientRegistration | undefined
}

/**
 * What is meant, with its scopes: as asked for, or the usual ones with all of the client's APIs; an
 * API that is added brings its own, one that is removed takes them along. Refuses scopes and APIs
 * that do not exist. The APIs stay as they are until the end of the transaction.
 */
export async function withScopes(
  tx: EntityManager,
  wanted: CheckedClient,
  { accountApi, before }: ScopeChoice,
): Promise<ClientRegistration> {
  const apis = await namedApis(tx, wanted, accountApi)
  const own = (wanted.accountApi && accountApi?.scopes) || []
  const ofApis = apis.flatMap((api) => api.scopes)
  const ofPerson: readonly string[] = wanted.type === 'service' ? [] : OIDC_SCOPES
  const offered = [...ofPerson, ...ofApis]
  const foreign = wanted.scopes?.filter((scope) => ![...offered, ...own].includes(scope)) ?? []
  if (foreign.length > 0)
    throw refused({ scopes: { code: 'foreign_scopes', values: { scopes: foreign.join(' ') } } })
  const followed = before && [
    ...before.scopes.filter((scope) => offered.includes(scope)),
    ...apis
      .filter(({ identifier }) => !before.resources.includes(identifier))
      .flatMap((api) => api.scopes),
  ]
  const scopes = wanted.scopes ?? followed ?? [...usualOf(wanted, ofPerson), ...ofApis]
  refuseForeignDefaults(wanted, scopes)
  // Those of the account API go with its switch.
  return { ...wanted, scopes: [...new Set(scopes)].filter((scope) => !own.includes(scope)) }
}

function refuseForeignDefaults({ defaultScopes = [] }: CheckedClient, scopes: readonly string[]) {
  const foreign = defaultScopes.filter((scope) => !scopes.includes(scope))
  if (foreign.length > 0)
    throw refused({
      defaultScopes: { code: 'foreign_defaults', values: { scopes: foreign.join(' ') } },
    })
}

async function namedApis(
  tx: EntityManager,
  { resources }: CheckedClient,
  accountApi: OfferedApi | undefined,
): Promise<readonly OfferedApi[]> {
  if (accountApi && resources.includes(accountApi.identifier)) {
    const { identifier } = accountApi
    throw refused({ resources: { code: 'is_account_api', values: { identifier } } })
  }
  if (resources.length === 0) return []
  const found = await tx.find(
    Resource,
    { identifier: { $in: resources } },
    { lockMode: LockMode.PESSIMISTIC_READ },
  )
  const unknown = resources.filter((each) => !found.some(({ identifier }) => identifier === each))
  if (unknown.length > 0) {
    const identifiers = unknown.join(', ')
    throw refused({ resources: { code: 'unknown_apis', values: { identifiers } } })
  }
  return found
}

function usualOf({ grantTypes }: CheckedClient, ofPerson: readonly string[]): readonly string[] {
  return DEFAULT_SCOPES.filter(
    (scope) =>
      ofPerson.includes(scope) &&
      (scope !== 'offline_access' || grantTypes.includes('refresh_token')),
  )
}
