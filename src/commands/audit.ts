import { Command, InvalidArgumentError } from 'commander'
import { readTrail } from '../audit/trail.ts'
import { type Head, verifyTrail } from '../audit/verify.ts'
import type { Context } from '../context.ts'

/** `gatehouse audit …`: reads the trail; nothing here writes it. */
export function auditCommand(open: () => Promise<Context>): Command {
  const command = new Command('audit').description('the audit trail: prove and export it')

  command
    .command('verify')
    .description('prove that no event was changed, added or removed; exit code 1 and the first broken row if one was')
    .option('--expect <head>', 'a head that an earlier run has printed: it must still be there', readHead)
    .action(async ({ expect }: { expect?: Head }) => {
      await using context = await open()
      const verdict = await verifyTrail(context.database.pool, expect)
      if (verdict.status === 'broken') {
        process.stderr.write(`The audit trail is broken at row ${verdict.seq}: ${verdict.reason}.\n`)
        process.exitCode = 1
        return
      }
      const { rows, first, head } = verdict
      process.stdout.write(`${rows} events verified${head ? `, from ${first} to ${head.seq}` : ''}\n`)
      if (head) process.stdout.write(`head ${head.seq}:${head.hash}\n`)
    })

  command
    .command('export')
    .description('every event as a line of JSON, oldest first, with the hashes of the chain')
    .option('--after <seq>', 'only events after this one', readSeq, 0)
    .action(async ({ after }: { after: number }) => {
      await using context = await open()
      for await (const event of readTrail(context.database.pool, after)) {
        if (!process.stdout.write(`${JSON.stringify(event)}\n`)) await new Promise((resolve) => process.stdout.once('drain', resolve))
      }
    })
  return command
}

function readHead(value: string): Head {
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(value) ?? []
  if (seq === undefined || hash === undefined) throw new InvalidArgumentError('A head looks like 42:0f3c…, as audit verify prints it.')
  return { seq: Number(seq), hash }
}

function readSeq(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('Give the number of an event.')
  return Number(value)
}
