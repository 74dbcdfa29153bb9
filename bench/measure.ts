import { median, quantile } from '../test/support/statistics.ts'
import { Connection } from './connection.ts'
import { busySeconds, workedSeconds } from './machine.ts'
import type { Operation } from './operations.ts'
import type { Target } from './target.ts'

export interface Sample {
  /**
   * Microseconds of the server process per successful operation; the hash process and the database
   * are others.
   */
  readonly cpuUs: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Share of the measured core that went to neither the server, nor its hash process, nor the generator. */
  readonly foreign: number
}

/** Above this share of foreign work on the core a sample is taken again. */
const MAX_FOREIGN = 0.1
const TRIES = 3

/** The calmest of up to `tries` samples: a second one is taken only when others were at work on the core. */
export async function measure(
  target: Target,
  operation: Operation,
  count: number,
  tries = TRIES,
): Promise<Sample> {
  const samples: Sample[] = []
  do samples.push(await sampleOf(target, operation, count).catch(failed(target, operation)))
  while (samples.length < tries && (samples.at(-1)?.foreign ?? 0) > MAX_FOREIGN)
  const [calmest] = samples.toSorted((a, b) => a.foreign - b.foreign)
  if (!calmest) throw new Error('no sample')
  return calmest
}

function failed(target: Target, operation: Operation): (cause: unknown) => never {
  return (cause) => {
    throw new Error(`${operation.name} failed on ${target.label}`, { cause })
  }
}

/**
 * `count` repetitions by a closed loop over the operation's connections. A failure ends the bench:
 * a figure with errors in it is none.
 */
export async function sampleOf(
  target: Target,
  operation: Operation,
  count: number,
): Promise<Sample> {
  const work = await operation.prepare(target, count, operation.concurrency)
  using stack = new DisposableStack()
  const connections: Connection[] = []
  for (let index = 0; index < operation.concurrency; index++)
    connections.push(stack.use(await Connection.open(target.facts.port)))
  const times: number[] = []
  let left = count
  const before = await target.usage()
  const [ownBefore, busyBefore, hashingBefore] = [
    process.cpuUsage(),
    busySeconds(),
    workedSeconds(before.hashPid),
  ]
  const began = performance.now()
  await Promise.all(
    connections.map(async (connection, worker) => {
      while (left-- > 0) times.push(await timed(() => work(connection, worker)))
    }),
  )
  const seconds = (performance.now() - began) / 1000
  const [own, busyAfter] = [process.cpuUsage(ownBefore), busySeconds()]
  const after = await target.usage()
  const used =
    (after.cpu - before.cpu + own.user + own.system) / 1e6 +
    workedSeconds(after.hashPid) -
    hashingBefore
  const busy = busyBefore === undefined || busyAfter === undefined ? used : busyAfter - busyBefore
  return {
    cpuUs: (after.cpu - before.cpu) / times.length,
    perSecond: times.length / seconds,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    foreign: Math.max(0, busy - used) / seconds,
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** Of every figure the median over the rounds. */
export function medians(samples: readonly Sample[]): Sample {
  const of = (name: keyof Sample): number => median(samples.map((sample) => sample[name]))
  return {
    cpuUs: of('cpuUs'),
    perSecond: of('perSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    foreign: of('foreign'),
  }
}
