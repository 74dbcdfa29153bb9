import type { Clients } from '../clients/clients.ts'
import { explained } from './refusal.ts'

export interface ClientCommandDeps extends AsyncDisposable {
  readonly clients: Clients
  readonly config: { readonly issuer: string }
}
export type Open = () => Promise<ClientCommandDeps>

/** The options by the fields of `ClientInput`, so that a refusal names what was typed. */
const OPTIONS = {
  name: '--name',
  type: '--type',
  redirectUris: '--redirect',
  postLogoutRedirectUris: '--post-logout-redirect',
  scopes: '--scope',
  resources: '--resource',
  grantTypes: '--grant',
  authMethod: '--auth-method',
  jwks: '--jwks',
  jwksUri: '--jwks-uri',
  isFirstParty: '--first-party',
  accountApi: '--account-api',
  idTokenAlg: '--id-token-alg',
  refreshLeewaySeconds: '--refresh-leeway',
  refreshRotation: '--refresh-rotation',
  clientUri: '--uri',
  logoUri: '--logo',
  policyUri: '--privacy',
  tosUri: '--terms',
  backchannelLogoutUri: '--backchannel-logout',
}

/** The work of one command. */
export async function withClients<T>(
  open: Open,
  work: (deps: ClientCommandDeps) => Promise<T>,
): Promise<T> {
  await using deps = await open()
  return await explained(() => work(deps), OPTIONS, 'There is no client of that id.')
}
