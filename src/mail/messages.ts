import type { SignInRules } from '../config/sign-in-rules.ts'
import type { EntityManager } from '../database/database.ts'
import type { SecurityNotice } from '../views/views.ts'
import type { ClosedAccount, ClosedState } from './closed-account.ts'
import { closedMail } from './closed-mail.ts'
import { InvitationMail } from './invitation-mail.ts'
import { LINK_PATHS, link, regainPath } from './links.ts'
import type { MailedToken, TokenSource } from './mailed-token.ts'
import type { Mail } from './mailer.ts'
import { type Envelope, Post, type PostDeps } from './post.ts'
import { ProviderMail } from './provider-mail.ts'
import { RecoveryMails } from './recovery-mails.ts'
import { type CodeAlone, type SignInCodeMail, sendToken } from './token-mail.ts'

export interface MessagesDeps extends PostDeps {
  readonly issuer: string
  readonly signIn: Pick<SignInRules, 'methods'>
}

/**
 * Every mail the product sends, written to the outbox in the caller's transaction. Over a cap
 * nothing is sent and the method answers undefined; the caller's own answer must not depend on it
 * (AA-01, EN-03).
 */
export class Messages {
  readonly invitations: InvitationMail
  readonly providers: ProviderMail
  readonly #issuer: string
  readonly #post: Post
  /** For a person who cannot sign in. */
  readonly #regain: { readonly regainLink: string; readonly isReset: boolean }
  readonly recovery: RecoveryMails

  constructor({ issuer, signIn, ...deps }: MessagesDeps) {
    this.#issuer = issuer
    const isReset = signIn.methods.includes('password')
    this.#regain = { regainLink: link(issuer, regainPath(isReset)), isReset }
    this.#post = new Post(deps)
    this.recovery = new RecoveryMails(issuer, this.#post)
    this.invitations = new InvitationMail(this.#post, issuer)
    this.providers = new ProviderMail(this.#post, issuer)
  }

  /**
   * A code for a sign-up. An address that has an account (`isRegistered`) is told the truth in
   * another mail instead, while the page says the same as ever. Both mails are made in any case,
   * because making one takes time (EN-02, EN-03).
   */
  verifyEmail<T extends MailedToken>(
    em: EntityManager,
    mail: Envelope & {
      issued: TokenSource<T>
      client?: string | undefined
      isRegistered?: boolean
      mustResetPassword?: boolean | undefined
      closed?: ClosedState
    },
  ): Promise<T | undefined> {
    const links = {
      ...this.#regain,
      signInLink: mail.mustResetPassword ? undefined : link(this.#issuer, LINK_PATHS.signIn),
    }
    const told = async (): Promise<Mail | undefined> => {
      const closed = await mail.closed?.()
      const unnamed = { ...mail, name: undefined }
      const notice = closed
        ? this.#closedMail(unnamed, closed)
        : this.#post.render('already-registered', unnamed, links)
      return mail.isRegistered ? notice : undefined
    }
    return sendToken(
      this.#post,
      em,
      'verify-email',
      mail,
      (token) => ({ client: mail.client, link: this.#tokenLink('verifyEmail', token) }),
      told,
    )
  }

  /** To an address whose account is closed goes another mail; one is made for every address, as above. */
  resetPassword<T extends MailedToken>(
    em: EntityManager,
    mail: Envelope & { issued: TokenSource<T>; closed?: ClosedState },
  ): Promise<T | undefined> {
    return sendToken(
      this.#post,
      em,
      'reset-password',
      mail,
      (token) => ({ link: this.#tokenLink('resetPassword', token) }),
      () => this.#closedNotice(mail),
    )
  }

  /** Who cannot sign in by a code is told so; one such mail is made for every address, as above. */
  signInCode<T extends MailedToken>(
    em: EntityManager,
    mail: SignInCodeMail<T>,
  ): Promise<T | undefined> {
    const { client, instead } = mail
    const told = async (): Promise<Mail | undefined> => {
      const closed = await mail.closed()
      if (closed) return this.#closedMail(mail, closed)
      const notice =
        instead === 'no-account'
          ? this.#post.render(instead, mail, { signUpLink: link(this.#issuer, LINK_PATHS.signUp) })
          : this.#post.render('sign-in-otherwise', mail, this.#regain)
      return instead && notice
    }
    return sendToken(this.#post, em, 'sign-in-code', mail, () => ({ client }), told)
  }

  /** To the new address. */
  changeEmail<T extends MailedToken>(
    em: EntityManager,
    mail: Envelope & { issued: TokenSource<T> },
  ): Promise<T | undefined> {
    return sendToken(this.#post, em, 'change-email', mail, (token) => ({
      link: this.#tokenLink('changeEmail', token),
    }))
  }

  /** It has no link: the code is typed where it was asked for. */
  codeAlone<T extends MailedToken>(
    em: EntityManager,
    name: CodeAlone,
    mail: Envelope & { issued: TokenSource<T>; closed?: ClosedState },
  ): Promise<T | undefined> {
    const told = () => this.#closedNotice(mail)
    return sendToken(this.#post, em, name, mail, () => ({}), mail.closed && told)
  }

  /** To the old address, once the new one is in force (EM-10). */
  async changeEmailNotice(
    em: EntityManager,
    mail: Envelope & { newEmail: string; undo: Pick<MailedToken, 'linkSecret' | 'expiresAt'> },
  ): Promise<void> {
    const model = {
      newEmail: mail.newEmail,
      undoLink: this.#tokenLink('undoEmail', mail.undo),
      undoUntil: mail.undo.expiresAt,
    }
    await this.#post.send(em, 'change-email-notice', mail, { budget: 'notice:change-email', model })
  }

  /** `report` is the token behind "this wasn't me" (SE-08). */
  async securityNotice(
    em: EntityManager,
    mail: Envelope & { kind: SecurityNotice; at: Date; report: Pick<MailedToken, 'linkSecret'> },
  ): Promise<void> {
    const model = {
      kind: mail.kind,
      at: mail.at,
      reportLink: this.#tokenLink('reportCompromise', mail.report),
    }
    await this.#post.send(em, 'security-notice', mail, { budget: `notice:${mail.kind}`, model })
  }

  async accountDeletion(
    em: EntityManager,
    mail: Envelope & { deletesAt: Date; undo: Pick<MailedToken, 'linkSecret'> },
  ): Promise<void> {
    const model = { deletesAt: mail.deletesAt, undoLink: this.#tokenLink('keepAccount', mail.undo) }
    await this.#post.send(em, 'account-deletion', mail, {
      budget: 'notice:account-deletion',
      model,
    })
  }

  /** To a person who has just proven to be the owner of an account that is about to be erased. */
  async keepAccount(
    em: EntityManager,
    mail: Envelope & { deletesAt: Date; keep: () => Promise<Pick<MailedToken, 'linkSecret'>> },
  ): Promise<void> {
    if (!(await this.#post.admits(em, 'keep-account', mail, 'notice:keep-account'))) return
    const closed = { isKeepable: true, deletesAt: mail.deletesAt, keep: await mail.keep() } as const
    this.#post.enqueue(em, this.#closedMail(mail, closed), mail)
  }

  /** Made in any case, because making it takes time (EN-02). */
  async #closedNotice(mail: Envelope & { closed?: ClosedState }): Promise<Mail | undefined> {
    const closed = await mail.closed?.()
    const notice = this.#closedMail(mail, closed ?? { isKeepable: false })
    return closed ? notice : undefined
  }

  #closedMail(mail: Envelope, closed: ClosedAccount): Mail {
    return closedMail(this.#post, this.#issuer, mail, closed)
  }

  #tokenLink(
    page: keyof typeof LINK_PATHS,
    { linkSecret }: Pick<MailedToken, 'linkSecret'>,
  ): string {
    return link(this.#issuer, LINK_PATHS[page], { token: linkSecret })
  }
}
