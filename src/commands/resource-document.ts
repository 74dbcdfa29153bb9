import type { Resource } from '../entities/index.ts'

export function factsOf({
  identifier,
  accessTokenSeconds,
  scopes,
  scopeDescriptions,
  name,
}: Resource) {
  return {
    identifier,
    access_token_seconds: accessTokenSeconds,
    scopes,
    scope_descriptions: scopeDescriptions,
    name,
  }
}

/** Words of a scope stay while it is there. */
export function pick(words: Readonly<Record<string, string>>, scopes: readonly string[]) {
  return Object.fromEntries(Object.entries(words).filter(([scope]) => scopes.includes(scope)))
}

export function documentOf(resource: Resource) {
  const { managedBy, version, includeGroups, signingAlg, createdAt } = resource
  const { tokenTyp, opensUserinfo, servedBy } = resource
  return {
    ...factsOf(resource),
    include_groups: includeGroups,
    signing_alg: signingAlg,
    token_typ: tokenTyp,
    userinfo: opensUserinfo,
    served_by: servedBy?.id ?? null,
    managed_by: managedBy,
    version,
    created_at: createdAt,
  }
}

export function lineOf({
  identifier,
  accessTokenSeconds,
  scopes,
  scopeDescriptions,
  name,
}: Resource): string {
  const described = scopes.filter((scope) => Object.hasOwn(scopeDescriptions, scope))
  const words = described.map((scope) => `${scope}=${scopeDescriptions[scope]}`)
  return [identifier, accessTokenSeconds, scopes.join(' '), name, ...words].join('\t')
}
