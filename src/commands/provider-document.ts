import type { Provider } from '../entities/index.ts'
import { ownAddresses } from '../upstream/addresses.ts'
import { KINDS } from '../upstream/providers/index.ts'
import { liveProvider } from '../upstream/providers.ts'

export function stateOf({ disabledAt }: Provider): 'enabled' | 'disabled' {
  return disabledAt ? 'disabled' : 'enabled'
}

/** All of it but the secret, and what has to be registered at the provider. */
export function providerDocument(provider: Provider, issuer: string) {
  const { id, kind, name, clientId, scopes, settings, position, version, createdAt } = provider
  return {
    id,
    type: kind,
    state: stateOf(provider),
    name,
    issuer: liveProvider(provider).live?.issuer ?? provider.issuer,
    client_id: clientId,
    has_secret: provider.secretBox !== null,
    scopes,
    position,
    ...Object.fromEntries(
      Object.entries(settings).map(([field, value]) => [snakeCase(field), value]),
    ),
    ...addressesToRegister(provider, issuer),
    version,
    created_at: createdAt,
  }
}

/** What an operator types into the provider's console. */
export function addressesToRegister({ id, kind }: Pick<Provider, 'id' | 'kind'>, issuer: string) {
  const { redirectUri, logoutUri } = ownAddresses(issuer, id)
  const logout = KINDS[kind].speaks === 'openid' ? { backchannel_logout_uri: logoutUri } : {}
  return { redirect_uri: redirectUri, ...logout }
}

const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
