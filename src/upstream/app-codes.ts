import { LIFETIMES } from '../config/limits.ts'
import { equal, randomToken, sha256 } from '../crypto/token.ts'
import { AppError } from '../errors.ts'
import type { UpstreamArrivals, UpstreamPerson } from './arrivals.ts'
import { bindingTo } from './flows.ts'
import type { Ticket } from './tickets.ts'

/** Who came, for the app that asked. */
export interface Redeemed {
  readonly providerId: string
  readonly clientId: string
  readonly person: UpstreamPerson
}

/** What an app redeems for a sign-in that was finished in a browser: once, and with its verifier. */
export class AppCodes {
  readonly #arrivals: UpstreamArrivals

  constructor(arrivals: UpstreamArrivals) {
    this.#arrivals = arrivals
  }

  async make(
    { providerId, clientId, challenge }: Pick<Ticket, 'providerId' | 'clientId' | 'challenge'>,
    person: UpstreamPerson,
  ): Promise<string> {
    const secret = randomToken()
    const news = { person, app: { clientId, challenge } }
    const binding = bindingTo('code', secret)
    const id = await this.#arrivals.put(providerId, binding, news, LIFETIMES.upstreamCode)
    return `${id}.${secret}`
  }

  /** A wrong verifier spends it, too. Throws `invalid_code`. */
  async redeem(code: string, verifier: string): Promise<Redeemed> {
    const [id = '', secret = ''] = code.split('.')
    const arrival = await this.#arrivals.take(id, bindingTo('code', secret))
    if (!arrival || !('person' in arrival.news)) throw new AppError('invalid_code')
    const { person, app } = arrival.news
    if (!app || !equal(sha256(verifier), Buffer.from(app.challenge, 'base64url')))
      throw new AppError('invalid_code')
    return { providerId: arrival.providerId, clientId: app.clientId, person }
  }
}
