import type { SignInPolicy } from '../accounts/factors/sign-in-policy.ts'
import type { ClientSecrets } from '../clients/client-secrets.ts'
import type { Clients } from '../clients/clients.ts'
import type { RefusedRequests } from '../clients/refused-requests.ts'
import type { Resources } from '../clients/resources.ts'
import type { Database } from '../database/database.ts'
import { OPTION_NAMES } from './client-options.ts'
import { explained } from './refusal.ts'

export interface ClientCommandDeps extends AsyncDisposable {
  readonly clients: Clients
  readonly clientSecrets: ClientSecrets
  readonly resources: Resources
  readonly database: Pick<Database, 'em'>
  readonly refusedRequests: RefusedRequests
  readonly config: { readonly issuer: string }
  readonly signInPolicy: SignInPolicy
}
export type Open = () => Promise<ClientCommandDeps>

/** The work of one command. */
export async function withClients<T>(
  open: Open,
  work: (deps: ClientCommandDeps) => Promise<T>,
): Promise<T> {
  await using deps = await open()
  return await explained(
    () => work(deps),
    OPTION_NAMES,
    'There is no client of that id. "client list" has them all.',
    'The client is of another version by now. See "client show", and change that one.',
  )
}
