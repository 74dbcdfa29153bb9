import type { AuditSink } from '../audit/event.ts'
import { randomToken } from '../crypto/token.ts'
import type { UpstreamPurpose } from '../entities/upstream-flow.ts'
import { ownAddresses } from './addresses.ts'
import type { News, UpstreamArrivals } from './arrivals.ts'
import type { UpstreamFlows } from './flows.ts'
import type { LiveProvider, Providers } from './providers.ts'
import { UpstreamRefusal } from './refusal.ts'
import type { Callback, Expected, RelyingParty } from './relying-party.ts'

export interface JourneyDeps {
  readonly issuer: string
  readonly audit: AuditSink
  readonly providers: Pick<Providers, 'find'>
  readonly relyingParty: Pick<RelyingParty, 'begin' | 'redeem'>
  readonly flows: UpstreamFlows
  readonly arrivals: UpstreamArrivals
}

export interface Departure {
  readonly provider: LiveProvider
  readonly purpose: UpstreamPurpose
  /** Of `bindingTo`: what the arrival will belong to. */
  readonly binding: Buffer
  /** The cookie of this browser. */
  readonly browser: string
  /** A path of ours, where the arrival is waited for. */
  readonly goOn: string
  readonly loginHint?: string | undefined
  /** The person wants to choose among several accounts over there. */
  readonly again?: boolean
  /** How long ago, in seconds, the person may have signed in there. */
  readonly maxAge?: number | undefined
  /** Asked for where the provider is trusted with its answer. */
  readonly acrValues?: string | undefined
}

/** To a provider and back: what comes back is kept as an arrival, and nobody is signed in yet. */
export class UpstreamJourneys {
  readonly #deps: JourneyDeps

  constructor(deps: JourneyDeps) {
    this.#deps = deps
  }

  /** Where the browser has to go. Throws an `UpstreamRefusal` while the provider does not answer. */
  async begin(departure: Departure): Promise<string> {
    const { relyingParty, flows } = this.#deps
    const { provider, purpose, binding, browser, goOn, loginHint, again, maxAge } = departure
    const acrValues = provider.settings.trustAmr ? departure.acrValues : undefined
    const [state, nonce] = [randomToken(), randomToken()]
    const { redirectUri } = ownAddresses(this.#deps.issuer, provider.id)
    const asked = { state, nonce, redirectUri, loginHint, again, maxAge, acrValues }
    const { url, verifier } = await relyingParty.begin(provider, asked)
    const signedInAfter = maxAge === undefined ? undefined : nowSeconds() - maxAge
    const kept = { nonce, verifier, goOn, signedInAfter }
    await flows.begin({ state, providerId: provider.id, purpose, binding, browser, kept })
    return url.href
  }

  /**
   * The flow is spent before its code is redeemed, so of two equal callbacks one goes on. Undefined
   * for a callback that belongs to no flow of this browser and provider (UP-03, UP-06, UP-07).
   */
  async comeBack(
    providerId: string,
    { parameters, user }: Omit<Callback, 'redirectUri'>,
    browser: string,
  ): Promise<{ readonly goOn: string; readonly arrivalId: string } | undefined> {
    const { flows, arrivals } = this.#deps
    const state = parameters.get('state') ?? ''
    const flow = await flows.spend(providerId, { state, browser })
    if (!flow) return undefined
    const { nonce, verifier, goOn, signedInAfter } = flow.kept
    const maxAge = signedInAfter === undefined ? undefined : nowSeconds() - signedInAfter
    const { redirectUri } = ownAddresses(this.#deps.issuer, providerId)
    const callback = { redirectUri, parameters, user }
    const news = await this.#redeem(providerId, callback, { state, nonce, verifier, maxAge })
    return { goOn, arrivalId: await arrivals.put(providerId, flow.binding, news) }
  }

  /** A provider that was disabled meanwhile is not asked any more (UP-05). */
  async #redeem(providerId: string, callback: Callback, expected: Expected): Promise<News> {
    const { providers, relyingParty } = this.#deps
    const provider = await providers.find(providerId)
    if (!provider) return this.#failed(providerId, 'disabled', { code: 'method_not_offered' })
    try {
      return { person: await relyingParty.redeem(provider, callback, expected) }
    } catch (error) {
      if (!(error instanceof UpstreamRefusal)) throw error
      const { code, reason, details } = error
      return this.#failed(providerId, reason, {
        code,
        retryAfterSeconds: details.retryAfterSeconds,
      })
    }
  }

  #failed(
    provider: string,
    reason: string,
    failure: { code: string; retryAfterSeconds?: number | undefined },
  ): News {
    const detail = { provider, reason }
    this.#deps.audit.record({ type: 'upstream_refused', outcome: 'failure', detail })
    return { failure }
  }
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
