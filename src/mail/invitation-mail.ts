import type { EntityManager } from '../database/database.ts'
import { LINK_PATHS, link } from './links.ts'
import type { Envelope, Post } from './post.ts'

/** Whom the operator asks to register: no cap holds the operator. */
export class InvitationMail {
  readonly #post: Post
  readonly #issuer: string

  constructor(post: Post, issuer: string) {
    this.#post = post
    this.#issuer = issuer
  }

  send(
    em: EntityManager,
    mail: Envelope & { secret: string; expiresAt: Date; client?: string | undefined },
  ): void {
    const { secret, expiresAt, client } = mail
    const model = { link: this.link(secret), expiresAt, client }
    this.#post.enqueue(em, this.#post.render('invitation', mail, model), mail)
  }

  link(secret: string): string {
    return link(this.#issuer, LINK_PATHS.invitation, { token: secret })
  }
}
