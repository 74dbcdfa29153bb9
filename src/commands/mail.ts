import { Command, InvalidArgumentError } from 'commander'
import { UUID } from '../accounts/uuid.ts'
import type { Core } from '../core.ts'
import { StartupError } from '../errors.ts'
import { listUndeliverable, retryUndeliverable } from '../outbox/undeliverable.ts'
import { answering, rowsAnswer } from './answer.ts'

/** `gatehouse mail …`: mail that was given up. Running servers deliver what is retried. */
export function mailCommand(
  open: () => Promise<Pick<Core, 'database'> & AsyncDisposable>,
): Command {
  const command = new Command('mail').description('mail that could not be delivered')

  command
    .command('list')
    .description('mail that was given up, one a line: id, attempts, written, given up, reason')
    .action(
      answering(async () => {
        await using core = await open()
        const mails = await listUndeliverable(core.database.pool, 'mail')
        return rowsAnswer(
          mails.map(({ id, attempts, createdAt, failedAt, reason }) => ({
            id,
            attempts,
            created_at: createdAt.toISOString(),
            failed_at: failedAt.toISOString(),
            reason,
          })),
        )
      }),
    )

  command
    .command('retry')
    .argument('[id...]', 'as `mail list` prints them', readIds)
    .description(
      'send again what was given up, once its reason is mended; codes in it may have expired',
    )
    .option('--all', 'everything that was given up')
    .action(
      answering(
        async (ids: readonly string[] | undefined = [], { all = false }: { all?: boolean }) => {
          if (all === ids.length > 0)
            throw new StartupError('Name the mails to send again, or say --all.')
          await using core = await open()
          const retried = await retryUndeliverable(
            core.database.pool,
            'mail',
            all ? undefined : ids,
          )
          const missing = ids.filter((id) => !retried.includes(id))
          const answer = rowsAnswer(retried.map((id) => ({ id, state: 'waiting' })))
          return missing.length > 0
            ? { ...answer, fault: `No mail of this id was given up: ${missing.join(', ')}` }
            : answer
        },
      ),
    )
  return command
}

function readIds(value: string, earlier: readonly string[] = []): readonly string[] {
  if (!UUID.test(value)) throw new InvalidArgumentError('An id looks as `mail list` prints it.')
  return [...earlier, value.toLowerCase()]
}
