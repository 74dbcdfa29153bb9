import type * as Library from 'openid-client'
import type { Fetch } from '../outgoing/guarded-fetch.ts'
import { authentication, type Party } from './party.ts'

type Tokens = Awaited<ReturnType<typeof Library.authorizationCodeGrant>>

/**
 * A provider that signs some ID tokens under another name than its metadata have. The library takes
 * one name, so an answer with the other is checked once more, all of it, as that of a server of that
 * name. It is not asked for again: a code is good once.
 */
export class TwoNames {
  readonly #library: typeof Library
  readonly #party: Pick<Party, 'clientId' | 'secret'>
  readonly #other: string
  readonly #answers = new Map<string, Response>()

  constructor(library: typeof Library, party: Pick<Party, 'clientId' | 'secret'>, other: string) {
    this.#library = library
    this.#party = party
    this.#other = other
  }

  /** Keeps what the token endpoint says to a code while that is being redeemed. */
  keeping(fetch: Fetch): Fetch {
    return async (input, init) => {
      const code = init?.body instanceof URLSearchParams ? init.body.get('code') : null
      if (code === null) return fetch(input, init)
      const answer = this.#answers.get(code) ?? (await fetch(input, init))
      this.#answers.set(code, answer.clone())
      return answer
    }
  }

  async redeem(
    callback: URL,
    config: Library.Configuration,
    redeem: (callback: URL, config: Library.Configuration) => Promise<Tokens>,
  ): Promise<Tokens> {
    try {
      return await redeem(callback, config)
    } catch (error) {
      if (!this.#isOther(error)) throw error
      // The callback was good for the name of the metadata.
      const again = new URL(callback)
      if (again.searchParams.has('iss')) again.searchParams.set('iss', this.#other)
      return await redeem(again, this.#renamed(config))
    } finally {
      this.#answers.delete(callback.searchParams.get('code') ?? '')
    }
  }

  #renamed(config: Library.Configuration): Library.Configuration {
    const library = this.#library
    const { clientId, secret } = this.#party
    const { supportsPKCE: _method, ...metadata } = config.serverMetadata()
    const authenticate = authentication(library, secret)
    const server = { ...metadata, issuer: this.#other }
    const renamed = new library.Configuration(server, clientId, {}, authenticate)
    library.enableNonRepudiationChecks(renamed)
    renamed.timeout = config.timeout
    const fetch = config[library.customFetch]
    if (fetch) renamed[library.customFetch] = fetch
    return renamed
  }

  /** The name, and nothing else, has not been as expected so far. */
  #isOther(error: unknown): boolean {
    const { claim, claims } = causeOf(causeOf(error)) as Compared
    return claim === 'iss' && claims?.iss === this.#other
  }
}

interface Compared {
  readonly claim?: unknown
  readonly claims?: { readonly iss?: unknown }
}

function causeOf(error: unknown): object {
  return (error instanceof Error && error.cause instanceof Object && error.cause) || {}
}
