import type { EntityManager } from '../database/database.ts'
import type { MailModels } from '../views/views.ts'
import { LINK_PATHS, link } from './links.ts'
import type { Envelope, Post } from './post.ts'

export interface HoldMail extends Envelope {
  /** The row that waits: the mails that are planned go with it. */
  readonly about: string
  readonly opensAt: Date
  readonly closesAt: Date
  readonly holdSeconds: number
  readonly linkSecret: string
  readonly stopSecret: string
}

/** What an owner is told while a recovery waits. */
export class RecoveryMails {
  readonly #issuer: string
  readonly #post: Post

  constructor(issuer: string, post: Post) {
    this.#issuer = issuer
    this.#post = post
  }

  /**
   * Now, at half time and at the end, in the caller's transaction. False when the server may send no
   * more: nothing waits that its owner is not told of.
   */
  async hold(em: EntityManager, mail: HoldMail): Promise<boolean> {
    if (!(await this.#post.admits(em, 'recovery-hold', mail, 'notice:recovery'))) return false
    const { about, opensAt, closesAt, holdSeconds, linkSecret, stopSecret } = mail
    const stopLink = link(this.#issuer, LINK_PATHS.stopRecovery, { token: stopSecret })
    const goOn = link(this.#issuer, LINK_PATHS.recoverLink, { token: linkSecret })
    const told = (kind: MailModels['recovery-hold']['kind']) =>
      this.#post.render('recovery-hold', mail, {
        kind,
        opensAt,
        closesAt,
        stopLink,
        ...(kind === 'ready' ? { link: goOn } : {}),
      })
    this.#post.enqueue(em, told('begun'), mail)
    await this.#post.plan(em, told('halfway'), { about, seconds: holdSeconds / 2 })
    await this.#post.plan(em, told('ready'), { about, seconds: holdSeconds })
    return true
  }
}
