import { Command, Option } from 'commander'
import type { AccountList, WantedAccounts } from '../accounts/account-list.ts'
import type { Account } from '../entities/index.ts'
import { type Answer, answering } from './answer.ts'
import { wholeNumber } from './whole-number.ts'

export interface ListCommandDeps {
  readonly accountList: AccountList
}
type Run = <T>(work: (deps: ListCommandDeps) => Promise<T>) => Promise<T>
interface ListOptions extends Pick<WantedAccounts, 'status' | 'after'> {
  readonly limit: string
}

const MAX_PAGE = 1000

/** `gatehouse account list`. `run` opens the use cases for one command. */
export function listCommand(run: Run): Command {
  return paged(new Command('list'))
    .description('accounts, one a line: id, address, name, user name, status, since when')
    .action(answering((options: ListOptions) => run((deps) => page(deps, options))))
}

/** `gatehouse account search`. */
export function searchCommand(run: Run): Command {
  return paged(new Command('search').argument('<text>'))
    .description('the same of accounts with this text in name, address or user name')
    .action(
      answering((text: string, options: ListOptions) => run((deps) => page(deps, options, text))),
    )
}

function paged(command: Command): Command {
  return command
    .addOption(
      new Option('--status <status>', 'only these').choices(['active', 'disabled', 'deleting']),
    )
    .option('--limit <number>', 'how many at most', '50')
    .option('--after <id>', 'go on after this account, the last of the page before')
    .option('--json', 'print each account as JSON, one a line')
}

async function page(
  { accountList }: ListCommandDeps,
  { limit, ...wanted }: ListOptions,
  text?: string,
): Promise<Answer> {
  const { accounts, hasMore } = await accountList.page({
    ...wanted,
    text,
    limit: wholeNumber('--limit', limit, MAX_PAGE),
  })
  const rows = accounts.map(rowOf)
  const last = accounts.at(-1)?.id
  return {
    lines: rows.map((row) => Object.values(row).join('\t')),
    json: rows,
    jsonLines: rows,
    notes: hasMore && last ? [`There are more: --after ${last}`] : [],
  }
}

function rowOf({ id, email, name, username, status, createdAt }: Account) {
  return { id, email, name, username, status, created_at: createdAt.toISOString() }
}
