import { Command, InvalidArgumentError } from 'commander'
import { UUID } from '../accounts/uuid.ts'
import type { Context } from '../context.ts'
import { StartupError } from '../errors.ts'
import { listUndeliverable, retryUndeliverable } from '../outbox/undeliverable.ts'
import { printRows } from './output.ts'

/** `gatehouse mail …`: mail that was given up. Running servers deliver what is retried. */
export function mailCommand(open: () => Promise<Pick<Context, 'database'> & AsyncDisposable>): Command {
  const command = new Command('mail').description('mail that could not be delivered')

  command
    .command('list')
    .description('mail that was given up, one a line: id, attempts, written, given up, reason')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      await using context = await open()
      const mails = await listUndeliverable(context.database.pool, 'mail')
      const facts = mails.map(({ id, attempts, createdAt, failedAt, reason }) => ({
        id,
        attempts,
        created_at: createdAt.toISOString(),
        failed_at: failedAt.toISOString(),
        reason,
      }))
      printRows(facts, { json: json ?? false })
    })

  command
    .command('retry')
    .argument('[id...]', 'as `mail list` prints them', readIds)
    .description('send again what was given up, once its reason is mended; codes in it may have expired')
    .option('--all', 'everything that was given up')
    .option('--json', 'as JSON')
    .action(async (ids: readonly string[] | undefined = [], { all = false, json }: { all?: boolean; json?: boolean }) => {
      if (all === ids.length > 0) throw new StartupError('Name the mails to send again, or say --all.')
      await using context = await open()
      const retried = await retryUndeliverable(context.database.pool, 'mail', all ? undefined : ids)
      const missing = ids.filter((id) => !retried.includes(id))
      printRows(
        retried.map((id) => ({ id, state: 'waiting' })),
        { json: json ?? false },
      )
      if (missing.length > 0) throw new StartupError(`No mail of this id was given up: ${missing.join(', ')}`)
    })
  return command
}

function readIds(value: string, earlier: readonly string[] = []): readonly string[] {
  if (!UUID.test(value)) throw new InvalidArgumentError('An id looks as `mail list` prints it.')
  return [...earlier, value.toLowerCase()]
}
