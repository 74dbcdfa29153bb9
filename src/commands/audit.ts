import { once } from 'node:events'
import { Command, InvalidArgumentError } from 'commander'
import { readTrail } from '../audit/trail.ts'
import { type Head, verifyTrail } from '../audit/verify.ts'
import type { Core } from '../core.ts'
import { StartupError } from '../errors.ts'
import { answering } from './answer.ts'

/** `gatehouse audit …`: reads the trail; nothing here writes it. */
export function auditCommand(open: () => Promise<Core>): Command {
  const command = new Command('audit').description('the audit trail: prove and export it')

  command
    .command('verify')
    .description(
      'prove that no event was changed, added or removed; exit code 1 and the first broken row if one was',
    )
    .option(
      '--expect <head>',
      'a head that an earlier run has printed: it must still be there',
      readHead,
    )
    .action(
      answering(async ({ expect }: { expect?: Head }) => {
        await using core = await open()
        const verdict = await verifyTrail(core.database.pool, expect)
        if (verdict.status === 'broken')
          throw new StartupError(
            `The audit trail is broken at row ${verdict.seq}: ${verdict.reason}.`,
          )
        const { rows, first, head } = verdict
        const told = `${rows} events verified${head ? `, from ${first} to ${head.seq}` : ''}`
        return {
          lines: [told, ...(head ? [`head ${head.seq}:${head.hash}`] : [])],
          json: { rows, first, head },
        }
      }),
    )

  command
    .command('export')
    .description('every event as a line of JSON, oldest first, with the hashes of the chain')
    .option('--after <seq>', 'only events after this one', readSeq, 0)
    .option('--json', 'print each event as JSON, one a line, as it does in any case')
    .action(async ({ after }: { after: number }) => {
      await using core = await open()
      for await (const event of readTrail(core.database.pool, after)) {
        if (!process.stdout.write(`${JSON.stringify(event)}\n`)) await readOn()
        if (!process.stdout.writable) return
      }
    })
  return command
}

/** Until the reader takes more, or is gone. */
function readOn(): Promise<unknown> {
  const { stdout } = process
  return Promise.race([
    once(stdout, 'drain').catch(() => undefined),
    new Promise((resolve) => stdout.once('close', resolve)),
  ])
}

function readHead(value: string): Head {
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(value) ?? []
  if (seq === undefined || hash === undefined)
    throw new InvalidArgumentError('A head looks like 42:0f3c…, as audit verify prints it.')
  return { seq: Number(seq), hash }
}

function readSeq(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('Give the number of an event.')
  return Number(value)
}
