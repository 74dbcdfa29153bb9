import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from '../test/support/statistics.ts'
import { sampleOf } from './measure.ts'
import { operationNamed } from './operations.ts'
import type { Target } from './target.ts'

const MIX = [
  'client_credentials, JWT',
  'code exchange',
  'refresh with rotation',
  'introspection',
  'userinfo',
].map(operationNamed)
const BATCH = 400
/** Of the time the server is at work. */
const LOAD = 0.7
/** Caches fill and code is compiled: not a leak. */
const WARM_UP_MS = 60_000

export interface Soak {
  readonly minutes: number
  readonly operations: number
  /** Megabytes, after a collection: medians of the first and the last fifth. */
  readonly heapMb: readonly [number, number]
  readonly rssMb: readonly [number, number]
  readonly p99Ms: readonly [number, number]
}

/** G20: the token endpoints in turn by eight clients at 70 % of what the server can do. */
export async function soak(target: Target, minutes: number): Promise<Soak> {
  const [heaps, residents, p99s]: [number[], number[], number[]] = [[], [], []]
  let operations = 0
  const began = Date.now()
  while (Date.now() - began < minutes * 60_000) {
    const times: number[] = []
    for (const operation of MIX) {
      const { p99Ms, perSecond } = await sampleOf(target, operation, BATCH)
      times.push(p99Ms)
      operations += BATCH
      await sleep((BATCH / perSecond) * 1000 * (1 / LOAD - 1))
    }
    if (Date.now() - began < Math.min(WARM_UP_MS, minutes * 6000)) continue
    const { heapMb, rssMb } = await target.usage({ collect: true })
    heaps.push(heapMb)
    residents.push(rssMb)
    p99s.push(quantile(times, 0.5))
  }
  return { minutes, operations, heapMb: ends(heaps), rssMb: ends(residents), p99Ms: ends(p99s) }
}

function ends(values: readonly number[]): readonly [number, number] {
  const fifth = Math.max(1, Math.floor(values.length / 5))
  return [quantile(values.slice(0, fifth), 0.5), quantile(values.slice(-fifth), 0.5)]
}
