import type { Client, KoaContextWithOIDC } from 'oidc-provider'
import { settingsOf } from '../clients/settings.ts'

const OFFLINE = 'offline_access'

/** Requests that asked for it in a way in which the engine drops it: without `prompt=consent`. */
const waiting = new WeakSet<object>()

/**
 * Keeps `offline_access` beside the parameters until the engine has read them: the consent page asks
 * for it (OIDC Core 11). The operator's own apps get refresh tokens that end with the session.
 */
export function keepOffline(
  ctx: object,
  client: Client,
  { scopes, prompts }: { readonly scopes: readonly string[]; readonly prompts: readonly string[] },
): void {
  const isDropped = scopes.includes(OFFLINE) && !prompts.includes('consent')
  if (isDropped && settingsOf(client).first_party !== true) waiting.add(ctx)
}

/** Whether it waits for what was allowed before: `prompt=none` asks nobody. */
export function isOfflineWaiting(ctx: object): boolean {
  return waiting.has(ctx)
}

/** Asks for it, after all. */
export function askForOffline(ctx: KoaContextWithOIDC): void {
  if (!waiting.delete(ctx)) return
  const { params = {} } = ctx.oidc
  params['scope'] = [params['scope'], OFFLINE].filter(Boolean).join(' ')
}
