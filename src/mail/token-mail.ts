import type { EntityManager } from '../database/database.ts'
import type { MailModels } from '../views/views.ts'
import type { ClosedState } from './closed-account.ts'
import { type MailedToken, type TokenSource, wholeMinutes } from './mailed-token.ts'
import type { Mail } from './mailer.ts'
import type { Envelope, Post } from './post.ts'

/** Its code is typed where it was asked for: there is no link. */
export type CodeAlone = 'change-password' | 'prove-identity' | 'prove-address' | 'recover-account'

export type SignInCodeMail<T extends MailedToken> = Envelope & {
  issued: TokenSource<T>
  client?: string | undefined
  /** What is sent in its place, unless the account is closed. */
  instead: 'sign-in-otherwise' | 'no-account' | undefined
  closed: ClosedState
}

type TokenMail = 'verify-email' | 'reset-password' | 'change-email' | 'sign-in-code' | CodeAlone

/**
 * A mail with a code, or what is sent in its place; undefined over a cap. The code is made in any
 * case (EN-02).
 */
export async function sendToken<T extends MailedToken, Name extends TokenMail>(
  post: Post,
  em: EntityManager,
  name: Name,
  mail: Envelope & { issued: TokenSource<T> },
  rest: (token: T) => Omit<MailModels[Name], 'code' | 'expiresInSeconds' | 'name' | 'origin'>,
  insteadOf: () => Promise<Mail | undefined> = async () => undefined,
): Promise<T | undefined> {
  if (!(await post.admits(em, name, mail, 'request'))) return undefined
  const token = typeof mail.issued === 'function' ? await mail.issued() : mail.issued
  const expiresInSeconds = wholeMinutes(token.expiresAt)
  const model = { code: token.code, expiresInSeconds, ...rest(token) } as Omit<
    MailModels[Name],
    'name' | 'origin'
  >
  const rendered = post.render(name, mail, model)
  post.enqueue(em, (await insteadOf()) ?? rendered, mail)
  return token
}
