import { CAPS } from '../config/limits.ts'
import type { EntityManager } from '../database/database.ts'
import type { Logger } from '../logger/logger.ts'
import { networkOf } from '../network.ts'
import type { Outbox } from '../outbox/index.ts'
import type { MailModels, MailName, MailOrigin, Views } from '../views/views.ts'
import { type MailBudget, MailCaps } from './caps.ts'
import type { Mail } from './mailer.ts'

export interface PostDeps {
  readonly outbox: Outbox
  readonly views: () => Views
  readonly logger: Logger
  readonly caps?: MailCaps
}

/** Whom a mail goes to, in which language, and whose request caused it. */
export interface Envelope {
  /** Canonical. */
  readonly to: string
  readonly name?: string | undefined
  /** BCP 47; the nearest language with a catalogue is used. */
  readonly locale?: string | undefined
  readonly origin?: MailOrigin | undefined
  /** Names the owner of the address, if it is they who ask: they are counted apart from strangers (AA-01). */
  readonly asker?: string | null | undefined
  /**
   * Counted, rendered and stored like any other mail, and never sent: the address must not be told
   * from others (EN-02).
   */
  readonly isDecoy?: boolean
  /** A program seems to ask for it: it waits, and few of all that do are sent. */
  readonly isSuspected?: boolean | undefined
}

/** What every mail goes through: the caps, its language, the outbox of the caller's transaction. */
export class Post {
  readonly #deps: PostDeps
  readonly #caps: MailCaps

  constructor(deps: PostDeps) {
    this.#deps = deps
    this.#caps = deps.caps ?? new MailCaps()
  }

  /** One mail of its own budget, unless a cap is reached. */
  async send<Name extends MailName>(
    em: EntityManager,
    name: Name,
    mail: Envelope,
    { budget, model }: { budget: MailBudget; model: Omit<MailModels[Name], 'name' | 'origin'> },
  ): Promise<void> {
    if (await this.admits(em, name, mail, budget))
      this.enqueue(em, this.render(name, mail, model), mail)
  }

  async admits(
    em: EntityManager,
    name: MailName,
    { to, origin, asker, isSuspected }: Envelope,
    budget: MailBudget,
  ): Promise<boolean> {
    const admission = await this.#caps.take(em, to, budget, {
      network: networkOf(origin?.ip ?? ''),
      own: asker ?? undefined,
      isSuspected,
    })
    if (admission !== 'granted')
      this.#deps.logger.warn({ event: 'mail.capped', mail: name, reason: admission })
    return admission === 'granted'
  }

  render<Name extends MailName>(
    name: Name,
    { to, locale, ...mail }: Envelope,
    model: Omit<MailModels[Name], 'name' | 'origin'>,
  ): Mail {
    const filled = { ...model, name: mail.name, origin: mail.origin } as MailModels[Name]
    const views = this.#deps.views()
    const { subject, text, html } = views.mail(name, filled, {
      locale: views.languages.negotiate({ uiLocales: locale }),
    })
    return { to, subject, text, html }
  }

  enqueue(em: EntityManager, mail: Mail, { isDecoy = false, isSuspected }: Envelope): void {
    const wait = isSuspected ? CAPS.suspectedWaitSeconds : undefined
    this.#deps.outbox.enqueue(em, isDecoy ? 'decoy' : 'mail', { ...mail }, wait)
  }

  /** For later: see `Outbox.plan`. */
  async plan(
    em: EntityManager,
    mail: Mail,
    when: { readonly about: string; readonly seconds: number },
  ): Promise<void> {
    await this.#deps.outbox.plan(em, 'mail', { ...mail }, when)
  }
}
