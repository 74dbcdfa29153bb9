import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import {
  type StatementFigures,
  startCountingPostgres,
} from '../test/support/statement-statistics.ts'
import { signedInWithBrowser, signInWithBrowser } from './flow.ts'
import { memoryOf } from './machine.ts'
import { sampleOf } from './measure.ts'
import { type Operation, operation, operationNamed } from './operations.ts'
import { Target } from './target.ts'

/**
 * `npm run bench:statements -- [--whole]`: what PostgreSQL says of four operations, each after a
 * warm-up in which every connection has planned what it ever will (G25), and the memory of all
 * processes (G26). Counts are exact; times are those of this machine and its other work. `--whole`
 * prints statements as they are.
 */
const { values: options } = parseArgs({ options: { whole: { type: 'boolean', default: false } } })

/** Everybody has signed in by then: all browsers are known. */
const WARM_UP = 450
/** So that every connection has made the plans that it keeps. */
const AGAIN = 100
const COUNT = 300
/** What is written behind the answers has been written by then. */
const BEHIND_MS = 2500

const KNOWN = { on: ['gatehouse'], concurrency: 4 } as const
const MEASURED: readonly Operation[] = [
  operation('sign-in', [], async (target) => signInWithBrowser(target), KNOWN),
  operation('flow with a session', [], async (target) => signedInWithBrowser(target), KNOWN),
  { ...operationNamed('refresh with rotation'), concurrency: 4 },
  { ...operationNamed('code exchange'), concurrency: 4 },
]

await using postgres = await startCountingPostgres()
await using target = await Target.start({
  kind: 'gatehouse',
  databaseUrl: postgres.url,
  hasCheapHash: true,
})
console.log(`idle: ${await memory()}`)
for (const measured of MEASURED) {
  await sampleOf(target, measured, WARM_UP)
  await postgres.analyze()
  await sampleOf(target, measured, AGAIN)
  await sleep(BEHIND_MS)
  await postgres.reset()
  await sampleOf(target, measured, COUNT)
  await sleep(BEHIND_MS)
  report(measured.name, await postgres.figures())
}
console.log(`\nafter load: ${await memory()}`)

function report(name: string, figures: readonly StatementFigures[]): void {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const heads = ['statement', 'calls', 'plans', 'execution µs', 'planning µs', 'WAL bytes']
  const sum = (of: (each: StatementFigures) => number): number =>
    figures.reduce((total, each) => total + of(each), 0)
  console.log(`\n${name}, for each of ${COUNT}:\n`)
  console.log(line(heads))
  console.log(line(heads.map(() => '---')))
  for (const row of [
    {
      query: 'all',
      calls: sum(({ calls }) => calls),
      plans: sum(({ plans }) => plans),
      executionMs: sum(({ executionMs }) => executionMs),
      planningMs: sum(({ planningMs }) => planningMs),
      walBytes: sum(({ walBytes }) => walBytes),
    },
    ...figures,
  ])
    console.log(
      line([
        wordsOf(row.query),
        (row.calls / COUNT).toFixed(2),
        (row.plans / COUNT).toFixed(2),
        ((row.executionMs * 1000) / COUNT).toFixed(0),
        ((row.planningMs * 1000) / COUNT).toFixed(0),
        (row.walBytes / COUNT).toFixed(0),
      ]),
    )
}

function wordsOf(query: string): string {
  const words = query.trim().replace(/\s+/g, ' ').replaceAll('|', '\\|')
  return options.whole ? words : words.slice(0, 90)
}

/** Of the server and its hash process, each page by the share of it. */
async function memory(): Promise<string> {
  const { hashPid } = await target.usage()
  const [server, hashing] = [target.pid, hashPid].map((pid) => memoryOf(pid, 'smaps_rollup', 'Pss'))
  return `server ${server?.toFixed(0)} MB, hash process ${hashing?.toFixed(0)} MB (PSS)`
}
