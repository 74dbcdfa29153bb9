import type { ClosedAccount } from './closed-account.ts'
import { LINK_PATHS, link } from './links.ts'
import type { Mail } from './mailer.ts'
import type { Envelope, Post } from './post.ts'

/** What an address is told whose account nobody can sign in to, or by a provider only. */
export function closedMail(
  post: Post,
  issuer: string,
  mail: Envelope,
  closed: ClosedAccount,
): Mail {
  if (closed.isKeepable === undefined) {
    const signInLink = link(issuer, LINK_PATHS.signIn)
    return post.render('sign-in-elsewhere', mail, { provider: closed.elsewhere, signInLink })
  }
  if (!closed.isKeepable) return post.render('account-closed', mail, {})
  const { deletesAt, keep } = closed
  const undoLink = link(issuer, LINK_PATHS.keepAccount, { token: keep.linkSecret })
  return post.render('keep-account', mail, { deletesAt, undoLink })
}
