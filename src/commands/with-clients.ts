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

/** Runs one command and prints its lines on stdout. */
export async function withClients(open: Open, work: (deps: ClientCommandDeps) => Promise<readonly string[]>): Promise<void> {
  await using deps = await open()
  const lines = await explained(() => work(deps), OPTIONS, 'There is no client of that id.')
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
}
