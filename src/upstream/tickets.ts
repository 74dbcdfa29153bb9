import { z } from 'zod'
import { LIFETIMES } from '../config/limits.ts'
import type { SecretBox } from '../crypto/secret-box.ts'

const Ticket = z.looseObject({
  providerId: z.string(),
  clientId: z.string(),
  redirectUri: z.string(),
  /** Of the app's PKCE verifier, S256. */
  challenge: z.string(),
  state: z.string().optional(),
  madeAt: z.number(),
})
export type Ticket = z.infer<typeof Ticket>

const SEALED_FOR = 'upstream ticket'

/**
 * What an app of the account API has asked for, in the address that it opens in a browser. It proves
 * nothing: who comes with it signs in at the provider, for the app's own address and verifier.
 */
export class Tickets {
  readonly #box: SecretBox

  constructor(box: SecretBox) {
    this.#box = box
  }

  seal(wanted: Omit<Ticket, 'madeAt'>): string {
    const ticket = { ...wanted, madeAt: Date.now() }
    return this.#box.seal(JSON.stringify(ticket), SEALED_FOR).toString('base64url')
  }

  /** `isBack`: there was as much time again for the way to the provider and back. */
  open(sealed: string, { isBack = false } = {}): Ticket | undefined {
    const seconds = LIFETIMES.upstreamFlow * (isBack ? 2 : 1)
    try {
      const opened = this.#box.open(Buffer.from(sealed, 'base64url'), SEALED_FOR)
      const ticket = Ticket.parse(JSON.parse(opened.toString('utf8')))
      return ticket.madeAt + seconds * 1000 > Date.now() ? ticket : undefined
    } catch {
      return undefined
    }
  }
}
