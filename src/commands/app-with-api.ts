import type { Command } from 'commander'
import type { ResourceInput } from '../clients/resource-fields.ts'
import { StartupError } from '../errors.ts'
import { scopesOf } from './resource-scopes.ts'

export interface ApiOptions {
  readonly appWithApi?: string
  readonly apiScope?: string[]
}

/** How a refusal names what is wrong with the API. */
export const API_OPTION_NAMES = {
  apiIdentifier: '--app-with-api',
  apiName: '--name',
  apiScopes: '--api-scope',
  apiScopeDescriptions: '--api-scope',
}

const USUAL_SCOPE = 'api=Use it for you'

/** The app's own API, registered together with it. */
export function addApiOptions(command: Command): Command {
  return command
    .option(
      '--app-with-api <identifier>',
      'register its own API with it: one token for the person and the API (see: resource create)',
    )
    .option('--api-scope <scope...>', `what may be allowed there (default: "${USUAL_SCOPE}")`)
}

/** It goes by the name of its app. */
export function apiFrom(
  { appWithApi: identifier, apiScope }: ApiOptions,
  name: string,
): ResourceInput | undefined {
  if (identifier === undefined && apiScope !== undefined)
    throw new StartupError('--api-scope: is for --app-with-api')
  if (identifier === undefined) return undefined
  const scopes = scopesOf(apiScope ?? [USUAL_SCOPE], '--api-scope')
  return { identifier, name, ...scopes, opensUserinfo: true }
}
