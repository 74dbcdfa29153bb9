import type { Arrived } from '../../accounts/identities/joining.ts'
import type { InteractionState } from '../../oidc/interaction-state.ts'
import { bindingTo } from '../../upstream/flows.ts'
import type { LiveProvider } from '../../upstream/providers.ts'
import type { InteractionDeps, Step } from './interaction.ts'
import type { KnownPerson } from './known-person.ts'

/** Somebody who came by a provider and has not decided everything yet. */
export interface Newcomer {
  readonly provider: LiveProvider
  readonly arrived: Arrived
  /** Who confirms who they are: their session stays what it is. */
  readonly known?: KnownPerson | undefined
}

export type Waiting = NonNullable<InteractionState['arrival']>

/** Whom something is asked. */
export interface Waiter extends Newcomer {
  readonly waiting: Waiting
}

/** The newcomer whom the state tells of; undefined once that is over. */
export async function newcomerOf(
  deps: InteractionDeps,
  { uid, state }: Step,
): Promise<Waiter | undefined> {
  const waiting = state.arrival
  if (!waiting) return undefined
  const arrival = await deps.arrivals.find(waiting.id, bindingTo('interaction', uid))
  const provider = await deps.providers.find(waiting.providerId)
  if (!arrival || !provider || !('person' in arrival.news)) return undefined
  const arrived = { id: arrival.id, providerId: provider.id, person: arrival.news.person }
  return { waiting, provider, arrived }
}

export function withoutArrival(step: Step): Step {
  const { arrival: _over, ...state } = step.state
  return { ...step, state }
}
