import { Command } from 'commander'
import type { AccountCreation, WantedAccount } from '../accounts/registration/account-creation.ts'
import { passwordLink, type ResetCommandDeps } from './account-reset.ts'
import { answering } from './answer.ts'

export interface CreateCommandDeps extends ResetCommandDeps {
  readonly accountCreation: AccountCreation
}
interface CreateOptions extends Omit<WantedAccount, 'email'> {
  readonly print?: boolean
}

/** `gatehouse account create`. `run` opens the use cases for one command. */
export function createCommand(
  run: <T>(work: (deps: CreateCommandDeps) => Promise<T>) => Promise<T>,
): Command {
  return new Command('create')
    .argument('<email>')
    .requiredOption('--name <text>', 'what the person is called')
    .option('--username <name>', 'preferred_username; otherwise made of the name')
    .option('--locale <tag>', 'language of mails and pages')
    .option('--print', 'print the link instead of mailing it')
    .description('make an account; the person is mailed a link to set a password, good for an hour')
    .action(
      answering((email: string, { print = false, ...wanted }: CreateOptions) =>
        run(async (deps) => {
          const account = await deps.accountCreation.create({ ...wanted, email })
          const made = { id: account.id, email: account.email, name: account.name }
          const { username } = await deps.administration.find(account.id)
          const told = `${made.email} has an account now, with the user name ${username}.`
          if (!deps.signInPolicy.offers('password'))
            return {
              lines: [told],
              notes: ['No link was made: "account recover" prints one to a passkey.'],
              json: { ...made, username },
            }
          const { href } = await passwordLink(deps, made.id, print)
          return {
            lines: [href ?? `${told} A link is on its way.`],
            notes: href ? [told] : [],
            json: { ...made, username, ...(href ? { link: href } : {}) },
          }
        }),
      ),
    )
}
