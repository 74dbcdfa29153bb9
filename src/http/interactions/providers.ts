import type { Context } from 'koa'
import { settingsOf } from '../../oidc/clients/settings.ts'
import type { LiveProvider } from '../../upstream/providers.ts'
import type { ProviderButton, UpstreamNotice } from '../../views/views.ts'
import type { InteractionDeps, Step } from './interaction.ts'

/** Those that people of the app may come by, in the order of their buttons. */
export function offeredProviders(
  { providers }: Pick<InteractionDeps, 'providers'>,
  { app }: Step,
): Promise<readonly LiveProvider[]> {
  return providers.offered(settingsOf(app.client))
}

/** One of them. */
export function offeredProvider(
  { providers }: Pick<InteractionDeps, 'providers'>,
  { app }: Step,
  id: string,
): Promise<LiveProvider | undefined> {
  return providers.findOffered(id, settingsOf(app.client))
}

export async function providerButtons(
  deps: InteractionDeps,
  step: Step,
  query = '',
): Promise<readonly ProviderButton[] | undefined> {
  const offered = await offeredProviders(deps, step)
  if (offered.length === 0) return undefined
  return offered.map(({ id, name }) => ({ name, action: `${step.url(`upstream/${id}`)}${query}` }))
}

/** Of the account that somebody signs in to, to connect it with a provider that they came by. */
export function connectingEmail({ state }: Step): string | undefined {
  return state.arrival?.stage === 'connect' ? state.arrival.email : undefined
}

export async function connectingNotice(
  ctx: Context,
  { csrf, providers }: InteractionDeps,
  step: Step,
): Promise<UpstreamNotice | undefined> {
  const { arrival } = step.state
  const provider = arrival?.stage === 'connect' && (await providers.find(arrival.providerId))
  if (!provider) return undefined
  const skip = { action: step.url('connect/skip'), csrf: csrf.token(ctx) }
  return { kind: 'connect', provider: provider.name, skip }
}
