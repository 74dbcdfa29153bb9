import type { EntityManager } from '../database/database.ts'
import { LINK_PATHS, link } from './links.ts'
import type { Envelope, Post } from './post.ts'

/** What people are told of a provider that they came by: no cap holds the operator. */
export class ProviderMail {
  readonly #post: Post
  readonly #signInLink: string

  constructor(post: Post, issuer: string) {
    this.#post = post
    this.#signInLink = link(issuer, LINK_PATHS.signIn)
  }

  removed(em: EntityManager, mail: Envelope & { provider: string }): void {
    const model = { provider: mail.provider, signInLink: this.#signInLink }
    this.#post.enqueue(em, this.#post.render('provider-removed', mail, model), mail)
  }
}
