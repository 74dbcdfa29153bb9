import type { EntityManager } from '../database/database.ts'
import { LINK_PATHS, link } from './links.ts'
import { type MailedToken, wholeMinutes } from './mailed-token.ts'
import type { Envelope, Post } from './post.ts'

/** To people whom the operator asks in: no cap holds the operator. */
export class InvitationMail {
  readonly #post: Post
  readonly #issuer: string

  constructor(post: Post, issuer: string) {
    this.#post = post
    this.#issuer = issuer
  }

  /** To register. */
  send(
    em: EntityManager,
    mail: Envelope & { secret: string; expiresAt: Date; client?: string | undefined },
  ): void {
    const { secret, expiresAt, client } = mail
    const model = { link: this.link(secret), expiresAt, client }
    this.#post.enqueue(em, this.#post.render('invitation', mail, model), mail)
  }

  /** To an account that was made for them: to set a password, or else to `page`. */
  sendAccount(
    em: EntityManager,
    mail: Envelope & {
      way: Pick<MailedToken, 'linkSecret' | 'expiresAt'> | { page: 'signIn' | 'recover' }
    },
  ): void {
    const { way } = mail
    const to = (page: keyof typeof LINK_PATHS, params?: Readonly<Record<string, string>>) =>
      link(this.#issuer, LINK_PATHS[page], params)
    const model =
      'page' in way
        ? { link: to(way.page) }
        : {
            link: to('resetPassword', { token: way.linkSecret }),
            passwordLink: {
              expiresInSeconds: wholeMinutes(way.expiresAt),
              laterLink: to('forgotPassword'),
            },
          }
    this.#post.enqueue(em, this.#post.render('account-created', mail, model), mail)
  }

  link(secret: string): string {
    return link(this.#issuer, LINK_PATHS.invitation, { token: secret })
  }
}
