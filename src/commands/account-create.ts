import { Command } from 'commander'
import type { AccountAdministration } from '../accounts/account-administration.ts'
import type { AccountCreation, WantedAccount } from '../accounts/registration/account-creation.ts'
import type { Config } from '../config/config.ts'
import { LINK_PATHS, link } from '../mail/links.ts'
import { answering } from './answer.ts'

export interface CreateCommandDeps {
  readonly accountCreation: AccountCreation
  readonly administration: Pick<AccountAdministration, 'find'>
  readonly config: Pick<Config, 'issuer'>
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
    .description('make an account; the person is mailed where to make a way in, such as a password')
    .action(
      answering((email: string, { print = false, ...wanted }: CreateOptions) =>
        run(async ({ accountCreation, administration, config }) => {
          const { account, linkSecret: token } = await accountCreation.create(
            { ...wanted, email },
            { isMailed: !print },
          )
          const { username } = await administration.find(account.id)
          const made = { id: account.id, email: account.email, name: account.name, username }
          const told = `${made.email} has an account now, with the user name ${username}.`
          if (!print) return { lines: [`${told} A mail is on its way.`], json: made }
          if (token === undefined)
            return {
              lines: [told],
              notes: ['No link was made: "account recover" prints one to a passkey.'],
              json: made,
            }
          const href = link(config.issuer, LINK_PATHS.resetPassword, { token })
          return { lines: [href], notes: [told], json: { ...made, link: href } }
        }),
      ),
    )
}
