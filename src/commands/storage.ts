import { Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { StartupError } from '../errors.ts'
import { moveToPostgres, moveToRedis } from '../oidc/adapters/move.ts'

/** `gatehouse storage …`: where sessions, grants and tokens live. */
export function storageCommand(open: () => Promise<Context>): Command {
  const command = new Command('storage').description('where sessions, grants and tokens live')
  command
    .command('move')
    .description('move live sessions, grants and tokens, while no server runs; safe to repeat')
    .addOption(new Option('--to <storage>', 'where to').choices(['redis', 'postgres']).makeOptionMandatory())
    .action(async ({ to }: { to: 'redis' | 'postgres' }) => {
      await using context = await open()
      const { redis, database } = context
      if (!redis) throw new StartupError('Set REDIS_URL to the Redis to move to or from.')
      const moved = await (to === 'redis' ? moveToRedis : moveToPostgres)({ pool: database.pool, redis })
      for (const [model, count] of [...moved].sort(([one], [other]) => one.localeCompare(other)))
        process.stdout.write(`${model}\t${count}\n`)
      const total = [...moved.values()].reduce((sum, count) => sum + count, 0)
      process.stdout.write(`${total} moved to ${to} and verified\n`)
    })
  return command
}
