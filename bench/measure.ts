import { Connection } from './connection.ts'
import type { Operation, Work } from './operations.ts'
import type { Target } from './target.ts'

export interface Sample {
  /** Microseconds of the server process per successful operation; the hash process and the database are others. */
  readonly cpuUs: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** `count` repetitions over `concurrency` connections. A failure ends the bench: a figure with errors in it is none. */
export async function measure(target: Target, operation: Operation, count: number, concurrency: number): Promise<Sample> {
  const work = target.kind === 'koa' ? ceilingOf(operation) : await operation.prepare(target, count, concurrency)
  using stack = new DisposableStack()
  const connections: Connection[] = []
  for (let index = 0; index < concurrency; index++) connections.push(stack.use(await Connection.open(target.facts.port)))
  const times: number[] = []
  let left = count
  const before = await target.usage()
  const began = performance.now()
  await Promise.all(
    connections.map(async (connection, worker) => {
      while (left-- > 0) times.push(await timed(() => work(connection, worker)))
    }),
  )
  const seconds = (performance.now() - began) / 1000
  const after = await target.usage()
  return {
    cpuUs: (after.cpu - before.cpu) / times.length,
    perSecond: times.length / seconds,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
  }
}

function ceilingOf({ ceiling }: Operation): Work {
  if (!ceiling) throw new Error('the operation has no ceiling')
  return async (connection) => {
    const { status } = await connection.send(ceiling)
    if (status !== 200) throw new Error(`the ceiling answered ${status}`)
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** Of every figure the median over the rounds. */
export function medians(samples: readonly Sample[]): Sample {
  const of = (name: keyof Sample): number => median(samples.map((sample) => sample[name]))
  return { cpuUs: of('cpuUs'), perSecond: of('perSecond'), p50Ms: of('p50Ms'), p99Ms: of('p99Ms') }
}
