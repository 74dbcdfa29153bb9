import { Command, InvalidArgumentError } from 'commander'
import type { Context } from '../context.ts'
import type { SigningAlg } from '../entities/signing-key.ts'
import { isPublished, isSigning } from '../oidc/key-schedule.ts'
import { SIGNING_ALGS } from '../oidc/signing-keys.ts'
import { reseal } from '../retention/reseal.ts'

/** `gatehouse keys …`: running instances follow by themselves. */
export function keysCommand(open: () => Promise<Context>): Command {
  const command = new Command('keys').description('signing keys: list and rotate; encryption at rest')

  command
    .command('list')
    .description('all keys, one a line: algorithm, state, kid, signs from')
    .action(async () => {
      await using context = await open()
      const now = new Date()
      for (const key of await context.keys.list()) {
        const state = isSigning(key, now) ? 'signing' : !isPublished(key, now) ? 'gone' : key.activeAt > now ? 'waiting' : 'verifying'
        process.stdout.write(`${key.alg}\t${state}\t${key.kid}\t${key.activeAt.toISOString()}\n`)
      }
    })

  command
    .command('rotate')
    .description('publish a new key, which signs once relying parties have had time to fetch it')
    .option('--alg <alg>', `one of ${SIGNING_ALGS.join(', ')}; without it all of them`, readAlg)
    .option('--emergency', 'a key has leaked: stop signing with it now, and let every token that it signed die')
    .action(async ({ alg, emergency = false }: { alg?: SigningAlg; emergency?: boolean }) => {
      await using context = await open()
      for (const each of alg ? [alg] : SIGNING_ALGS) {
        const kid = await context.keys.rotate(each, { isEmergency: emergency })
        process.stdout.write(kid ? `${each}\t${kid}\n` : `${each}\ta new key is waiting already\n`)
      }
    })

  command
    .command('reseal')
    .description('encrypt what KEY_ENCRYPTION_KEYS protect with the first of them, so that the others may go')
    .action(async () => {
      await using context = await open()
      for (const [what, count] of await reseal(context.database.pool, context.box)) process.stdout.write(`${count}\t${what}\n`)
    })
  return command
}

function readAlg(value: string): SigningAlg {
  const found = SIGNING_ALGS.find((alg) => alg === value)
  if (!found) throw new InvalidArgumentError(`Choose one of ${SIGNING_ALGS.join(', ')}.`)
  return found
}
