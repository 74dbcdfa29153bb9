import { UPSTREAM } from '../config/limits.ts'
import type { SecretBox } from '../crypto/secret-box.ts'
import { Breaker } from '../outbox/breaker.ts'
import type { Fetch } from '../outgoing/guarded-fetch.ts'
import { upstreamRefusal } from './failure.ts'
import { type AnyConnection, connectOAuth, connectOpenId } from './openid.ts'
import type { Party } from './party.ts'
import { KINDS } from './providers/index.ts'
import type { LiveProvider } from './providers.ts'
import { UpstreamRefusal } from './refusal.ts'
import { secretOf } from './secret.ts'

export interface ConnectionsDeps {
  readonly box: Pick<SecretBox, 'open'>
  /** Guarded: the addresses are the provider's own words (UP-08). */
  readonly fetch: Fetch
}

/** What is known of one provider, as it is registered now. */
interface Known {
  readonly version: number
  readonly breaker: Breaker
  connection?: { readonly value: AnyConnection; readonly at: number }
  connecting?: Promise<AnyConnection>
}

const SILENT = new Set(['unreachable', 'slow'])

/**
 * Addresses and keys of providers: an hour as they are, a day while the provider gives no new ones.
 * One that does not answer is left alone for a moment, so that nobody waits for it in vain.
 */
export class Connections {
  readonly #deps: ConnectionsDeps
  readonly #known = new Map<string, Known>()

  constructor(deps: ConnectionsDeps) {
    this.#deps = deps
  }

  /**
   * `by` a browser: what it brought may be of its own making, so an answer to it that makes no sense
   * keeps nobody else from the provider. Throws `UpstreamRefusal`.
   */
  async use<T>(
    provider: LiveProvider,
    work: (connection: AnyConnection) => Promise<T>,
    by?: 'browser',
  ): Promise<T> {
    const known = this.#of(provider)
    const { remainingMs } = known.breaker
    if (remainingMs > 0)
      throw new UpstreamRefusal('unreachable', undefined, Math.ceil(remainingMs / 1000))
    try {
      const done = await work(await this.#connection(provider, known))
      known.breaker.reached()
      return done
    } catch (error) {
      const refusal = upstreamRefusal(error)
      const isBroken = refusal.reason === 'broken' && by !== 'browser'
      if (isBroken || SILENT.has(refusal.reason)) known.breaker.unreachable()
      else if (by !== 'browser') known.breaker.reached()
      throw refusal
    }
  }

  /** Asks anew, and for the keys too, whatever is known. Throws `UpstreamRefusal`. */
  async anew(provider: LiveProvider): Promise<AnyConnection> {
    try {
      const connection = await this.#connect(provider)
      if (connection.speaks === 'openid') await connection.reloadKeys()
      return connection
    } catch (error) {
      throw upstreamRefusal(error)
    }
  }

  #of({ id, version }: LiveProvider): Known {
    const found = this.#known.get(id)
    if (found?.version === version) return found
    const { firstPauseMs, maxPauseMs } = UPSTREAM
    const known = { version, breaker: new Breaker({ firstPauseMs, maxPauseMs }) }
    this.#known.set(id, known)
    return known
  }

  async #connection(provider: LiveProvider, known: Known): Promise<AnyConnection> {
    const { connection } = known
    const age = connection ? Date.now() - connection.at : Infinity
    if (connection && age < UPSTREAM.freshMs) return connection.value
    try {
      known.connecting ??= this.#connect(provider)
      const value = await known.connecting
      known.connection = { value, at: Date.now() }
      return value
    } catch (error) {
      if (connection && age < UPSTREAM.staleMs) return connection.value
      throw error
    } finally {
      delete known.connecting
    }
  }

  async #connect(provider: LiveProvider): Promise<AnyConnection> {
    const kind = KINDS[provider.kind]
    const { clientId } = provider
    const secret = secretOf(provider, kind, this.#deps.box)
    const party: Party = { issuer: provider.issuer, clientId, secret, fetch: this.#deps.fetch }
    return kind.speaks === 'oauth' ? connectOAuth(kind, party) : connectOpenId(kind, party)
  }
}
