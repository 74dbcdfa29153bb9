import { Command } from 'commander'
import type { AccountAdministration } from '../accounts/account-administration.ts'
import type { SignInPolicy } from '../accounts/factors/sign-in-policy.ts'
import type { PasswordReset } from '../accounts/passwords/password-reset.ts'
import type { Config } from '../config/config.ts'
import { AppError, StartupError } from '../errors.ts'
import { LINK_PATHS, link } from '../mail/links.ts'
import { answering } from './answer.ts'

export interface ResetCommandDeps {
  readonly administration: Pick<AccountAdministration, 'find'>
  readonly passwordReset: Pick<PasswordReset, 'requestFor'>
  readonly signInPolicy: Pick<SignInPolicy, 'offers'>
  readonly config: Pick<Config, 'issuer'>
}

/** `gatehouse account reset`. `run` opens the use cases for one command. */
export function resetCommand(
  run: <T>(work: (deps: ResetCommandDeps) => Promise<T>) => Promise<T>,
): Command {
  return new Command('reset')
    .argument('<email-or-id>')
    .option('--print', 'print the link instead of mailing it')
    .description('mail a person a link that sets a new password. It is good for an hour, and once')
    .action(
      answering((name: string, { print = false }: { print?: boolean }) =>
        run(async (deps) => {
          const { id, email } = await deps.administration.find(name)
          const { href, expiresAt } = await passwordLink(deps, id, print)
          const expires_at = expiresAt.toISOString()
          return {
            lines: [href ?? `A link is on its way to ${email}.`],
            notes: href
              ? [`It is good once, until ${expires_at}. Give it to nobody but ${email}.`]
              : [],
            json: { id, email, ...(href ? { link: href } : {}), expires_at },
          }
        }),
      ),
    )
}

/** Where the owner sets a password; without `href` it was mailed. */
export async function passwordLink(
  { passwordReset, signInPolicy, config }: ResetCommandDeps,
  accountId: string,
  isPrinted: boolean,
): Promise<{ href: string | undefined; expiresAt: Date }> {
  if (!signInPolicy.offers('password'))
    throw new StartupError(
      'SIGN_IN_METHODS has no password: "account recover" prints a link to a passkey.',
    )
  try {
    const issued = await passwordReset.requestFor(accountId, { isMailed: !isPrinted })
    const { linkSecret: token, expiresAt } = issued
    const href = isPrinted ? link(config.issuer, LINK_PATHS.resetPassword, { token }) : undefined
    return { href, expiresAt }
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.code !== 'unavailable') throw cause
    throw new StartupError(
      'This address has had too many mails: try again in an hour, or with --print.',
      { cause },
    )
  }
}
