import { Command } from 'commander'
import type { AccountAdministration } from '../accounts/account-administration.ts'
import type { AccountExport } from '../accounts/export.ts'
import { OPERATOR } from '../audit/event.ts'
import { presentExport } from '../http/api/auth/export-shape.ts'
import { answering } from './answer.ts'
import { expectNew, writeNew } from './new-file.ts'

export interface ExportCommandDeps {
  readonly administration: Pick<AccountAdministration, 'find'>
  readonly accountExport: AccountExport
}

/** `gatehouse account export`. `run` opens the use cases for one command. */
export function exportCommand(
  run: <T>(work: (deps: ExportCommandDeps) => Promise<T>) => Promise<T>,
): Command {
  return new Command('export')
    .argument('<email-or-id>')
    .option('--out <file>', 'write it to a new file that only you can read')
    .description('all that is kept about a person, as the person gets it')
    .action(
      answering((name: string, { out }: { out?: string }) =>
        run(async ({ administration, accountExport }) => {
          if (out !== undefined) expectNew(out)
          const { id, email } = await administration.find(name)
          const document = presentExport(await accountExport.collect(id, OPERATOR), '')
          const text = JSON.stringify(document, null, 2)
          if (out === undefined) return { lines: [text], json: document }
          writeNew(out, `${text}\n`)
          return { lines: [`What is kept about ${email} is in ${out}.`], json: { id, email, out } }
        }),
      ),
    )
}
