import type { Provider } from 'oidc-provider'
import type { Client } from '../pages.ts'
import { settingsOf } from './settings.ts'

/** An app that is registered for the account API, as the engine knows it. */
export async function findApiApp(
  { provider }: { readonly provider: Provider },
  clientId: string,
): Promise<Client | undefined> {
  const client = await provider.Client.find(clientId)
  return settingsOf(client).account_api === true ? client : undefined
}
