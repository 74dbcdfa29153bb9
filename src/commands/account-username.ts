import { Command } from 'commander'
import type { AccountAdministration } from '../accounts/account-administration.ts'
import type { Usernames } from '../accounts/usernames.ts'
import { answering } from './answer.ts'

export interface UsernameCommandDeps {
  readonly administration: Pick<AccountAdministration, 'find'>
  readonly usernames: Usernames
}

/** `gatehouse account username`. `run` opens the use cases for one command. */
export function usernameCommand(
  run: <T>(work: (deps: UsernameCommandDeps) => Promise<T>) => Promise<T>,
): Command {
  return new Command('username')
    .argument('<email-or-id>')
    .argument('<name>')
    .description('give an account another user name (preferred_username); the old one is used up')
    .action(
      answering((account: string, name: string) =>
        run(async ({ administration, usernames }) => {
          const { id, email } = await administration.find(account)
          const username = await usernames.change(id, name)
          return {
            lines: [`${email} has the user name ${username} now.`],
            json: { id, email, username },
          }
        }),
      ),
    )
}
