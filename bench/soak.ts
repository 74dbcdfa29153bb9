import { measure, quantile } from './measure.ts'
import { OPERATIONS } from './operations.ts'
import type { Results } from './results.ts'
import type { Target } from './target.ts'

const STEP = 2000
const MIX = ['client_credentials, JWT', 'code exchange', 'refresh with rotation', 'introspection', 'userinfo']

/** G20: the token endpoints in turn for `minutes`, by eight clients; heap and p99 of the first and the last fifth. */
export async function soak(target: Target, minutes: number): Promise<Results['soak']> {
  const mix = OPERATIONS.filter(({ name }) => MIX.includes(name))
  const heaps: number[] = []
  const p99s: number[] = []
  for (const until = Date.now() + minutes * 60_000; Date.now() < until; ) {
    const times: number[] = []
    for (const operation of mix) times.push((await measure(target, operation, STEP, 8)).p99Ms)
    p99s.push(quantile(times, 0.5))
    heaps.push((await target.usage({ collect: true })).heapMb)
  }
  const fifth = Math.max(1, Math.floor(heaps.length / 5))
  const ends = (values: number[]): number => quantile(values.slice(-fifth), 0.5) / quantile(values.slice(0, fifth), 0.5)
  return { minutes, heapSlope: ends(heaps) - 1, p99Drift: ends(p99s) }
}
