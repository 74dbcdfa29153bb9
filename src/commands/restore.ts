import { Command } from 'commander'
import type { Context } from '../context.ts'
import { emptyRedis } from '../oidc/adapters/move.ts'
import { finishRestore } from '../retention/restore.ts'
import { answering } from './answer.ts'

/** `gatehouse restore …`: after the database was put back from a backup. */
export function restoreCommand(open: () => Promise<Context>): Command {
  const command = new Command('restore').description(
    'what follows when the database was put back from a backup',
  )
  command
    .command('finish')
    .description(
      'end all that the backup brought back (sessions, tokens, codes, links), while no server runs; everybody signs in again; safe to repeat',
    )
    .option(
      '--void-recovery-codes',
      'end the recovery codes too: some may have been used after the backup',
    )
    .action(
      answering(async ({ voidRecoveryCodes = false }: { voidRecoveryCodes?: boolean }) => {
        await using context = await open()
        // Before the database, which says that all is done.
        const inRedis = context.redis ? { 'keys in Redis': await emptyRedis(context.redis) } : {}
        const ended = { ...(await finishRestore(context, { voidRecoveryCodes })), ...inRedis }
        return {
          lines: [
            ...Object.entries(ended).map(([what, count]) => `${count}\t${what}`),
            'The restore is finished; everybody signs in again.',
          ],
          json: ended,
        }
      }),
    )
  return command
}
