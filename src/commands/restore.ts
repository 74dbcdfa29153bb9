import { Command } from 'commander'
import type { Core } from '../core.ts'
import { emptyRedis } from '../oidc/adapters/move.ts'
import { finishRestore } from '../retention/restore.ts'
import { answering } from './answer.ts'

/** `gatehouse restore …`: after the database was put back from a backup. */
export function restoreCommand(open: () => Promise<Core>): Command {
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
        await using core = await open()
        // Before the database, which says that all is done.
        const inRedis = core.redis ? { 'keys in Redis': await emptyRedis(core.redis) } : {}
        const ended = { ...(await finishRestore(core, { voidRecoveryCodes })), ...inRedis }
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
