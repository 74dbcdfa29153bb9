import { Command, Option } from 'commander'
import type { Core } from '../core.ts'
import { StartupError } from '../errors.ts'
import { moveToPostgres, moveToRedis } from '../oidc/adapters/move.ts'
import { answering } from './answer.ts'

/** `gatehouse storage …`: where sessions, grants and tokens live. */
export function storageCommand(open: () => Promise<Core>): Command {
  const command = new Command('storage').description('where sessions, grants and tokens live')
  command
    .command('move')
    .description('move live sessions, grants and tokens, while no server runs; safe to repeat')
    .addOption(
      new Option('--to <storage>', 'where to').choices(['redis', 'postgres']).makeOptionMandatory(),
    )
    .action(
      answering(async ({ to }: { to: 'redis' | 'postgres' }) => {
        await using core = await open()
        const { redis, database } = core
        if (!redis) throw new StartupError('Set REDIS_URL to the Redis to move to or from.')
        const moved = [
          ...(await (to === 'redis' ? moveToRedis : moveToPostgres)({
            pool: database.pool,
            redis,
          })),
        ]
        const kinds = moved.toSorted(([one], [other]) => one.localeCompare(other))
        const total = moved.reduce((sum, [, count]) => sum + count, 0)
        const lines = [
          ...kinds.map(([model, count]) => `${model}\t${count}`),
          `${total} moved to ${to} and verified`,
        ]
        return { lines, json: { to, total, moved: Object.fromEntries(kinds) } }
      }),
    )
  return command
}
