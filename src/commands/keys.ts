import { Command, InvalidArgumentError } from 'commander'
import type { Core } from '../core.ts'
import type { SigningAlg, SigningKey } from '../entities/signing-key.ts'
import { isPublished, isSigning } from '../oidc/keys/key-schedule.ts'
import { SIGNING_ALGS } from '../oidc/keys/signing-keys.ts'
import { reseal } from '../retention/reseal.ts'
import { answering, rowsAnswer } from './answer.ts'

/** `gatehouse keys …`: running instances follow by themselves. */
export function keysCommand(open: () => Promise<Core>): Command {
  const command = new Command('keys').description(
    'signing keys: list and rotate; encryption at rest',
  )

  async function run<T>(work: (core: Core) => Promise<T>): Promise<T> {
    await using core = await open()
    return await work(core)
  }

  command
    .command('list')
    .description('all keys, one a line: algorithm, state, kid, signs from')
    .action(
      answering(() =>
        run(async ({ keys }) => {
          const now = new Date()
          const all = (await keys.list()).map((key) => ({
            alg: key.alg,
            state: stateOf(key, now),
            kid: key.kid,
            active_at: key.activeAt.toISOString(),
          }))
          return rowsAnswer(all)
        }),
      ),
    )

  command
    .command('rotate')
    .description('publish a new key, which signs once relying parties have had time to fetch it')
    .option('--alg <alg>', `one of ${SIGNING_ALGS.join(', ')}; without it all of them`, readAlg)
    .option(
      '--emergency',
      'a key has leaked: stop signing with it now, and let every token that it signed die',
    )
    .action(
      answering(({ alg, emergency = false }: { alg?: SigningAlg; emergency?: boolean }) =>
        run(async ({ keys }) => {
          const made: { alg: SigningAlg; kid: string | undefined }[] = []
          for (const each of alg ? [alg] : SIGNING_ALGS)
            made.push({ alg: each, kid: await keys.rotate(each, { isEmergency: emergency }) })
          return {
            lines: made.map(
              ({ alg: each, kid }) => `${each}\t${kid ?? 'a new key is waiting already'}`,
            ),
            json: made,
          }
        }),
      ),
    )

  command
    .command('reseal')
    .description(
      'encrypt what KEY_ENCRYPTION_KEYS protect with the first of them, so that the others may go',
    )
    .action(
      answering(() =>
        run(async ({ database, box }) => {
          const counts = [...(await reseal(database.pool, box))]
          return {
            lines: counts.map(([what, count]) => `${count}\t${what}`),
            json: Object.fromEntries(counts),
          }
        }),
      ),
    )
  return command
}

function stateOf(key: SigningKey, now: Date): string {
  if (isSigning(key, now)) return 'signing'
  if (!isPublished(key, now)) return 'gone'
  return key.activeAt > now ? 'waiting' : 'verifying'
}

function readAlg(value: string): SigningAlg {
  const found = SIGNING_ALGS.find((alg) => alg === value)
  if (!found) throw new InvalidArgumentError(`Choose one of ${SIGNING_ALGS.join(', ')}.`)
  return found
}
