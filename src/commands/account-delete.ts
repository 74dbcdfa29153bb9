import { Command } from 'commander'
import type { AccountAdministration } from '../accounts/account-administration.ts'
import type { Deletion } from '../accounts/deletion.ts'
import { StartupError } from '../errors.ts'
import { answering } from './answer.ts'

export interface DeleteCommandDeps {
  readonly administration: Pick<AccountAdministration, 'find'>
  readonly deletion: Pick<Deletion, 'requestFor' | 'eraseNow'>
}
interface DeleteOptions {
  readonly yes?: boolean
  readonly now?: boolean
}

/** `gatehouse account delete`. `run` opens the use cases for one command. */
export function deleteCommand(
  run: <T>(work: (deps: DeleteCommandDeps) => Promise<T>) => Promise<T>,
): Command {
  return new Command('delete')
    .argument('<email-or-id>')
    .option('--yes', 'say that you mean it')
    .option('--now', 'erase it at once: nobody can bring it back')
    .description('delete an account; for two weeks a mailed link or "account keep" brings it back')
    .action(
      answering((name: string, { yes, now }: DeleteOptions) =>
        run(async ({ administration, deletion }) => {
          const { id, email } = await administration.find(name)
          if (!yes) throw new StartupError(`Nothing was done: --yes deletes ${email}.`)
          if (now) {
            await deletion.eraseNow(id)
            return { lines: [`${email} is erased.`], json: { id, email, state: 'erased' } }
          }
          const delete_after = (await deletion.requestFor(id)).deletesAt.toISOString()
          return {
            lines: [`${email} is closed now, and erased after ${delete_after}.`],
            json: { id, email, state: 'deleting', delete_after },
          }
        }),
      ),
    )
}
