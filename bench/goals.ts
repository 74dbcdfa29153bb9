import { HASH_SLOTS } from '../src/crypto/argon2.ts'
import type { OperationResult, Results } from './results.ts'

export interface Goal {
  readonly id: string
  readonly what: string
  readonly target: string
  readonly measured: string
  readonly verdict: 'met' | 'MISSED' | 'not measured'
}

const ARGON2_MB = 19.456 * 1.048_576
/** Node and argon2 before the first hash. */
const HASH_BASE_MB = 90

/** The goals of this run, as measured: nothing is rounded in our favour, and what was not measured says so. */
export function goalsOf(results: Results, previous: Results | undefined): Goal[] {
  const { operations, storm, hashes, memory, growth, soak } = results
  const find = (name: string): OperationResult | undefined => operations.find((operation) => operation.name === name)
  const ofBare = (name: string): number | undefined => share(find(name), 'bare')
  const ofCeiling = (name: string): number | undefined => share(find(name), 'ceiling')
  const flow = find('full code flow')?.gatehouse[0]?.sample.cpuUs
  const [overBare, cc] = [' of the bare engine', 'client_credentials, JWT']
  const drops = previous ? regressions(results, previous) : undefined
  return [
    atLeast('G1', `${cc}${overBare}`, ofBare(cc), 0.9),
    atLeast('G2', `${cc} of Koa and one ES256`, ofCeiling(cc), 0.3),
    atLeast('G3', `refresh with rotation${overBare}`, ofBare('refresh with rotation'), 0.85),
    atLeast('G4', `code exchange${overBare}`, ofBare('code exchange'), 0.85),
    atLeast('G5', `introspection${overBare}`, ofBare('introspection'), 0.8),
    atLeast('G6', `userinfo${overBare}`, ofBare('userinfo'), 0.7),
    unmeasured('G7', 'over the widely copied Redis adapter', '>= 1.15'),
    atLeast('G8', 'discovery of Koa hello', ofCeiling('discovery'), 0.85),
    atLeast('G8', 'JWKS of Koa hello', ofCeiling('JWKS'), 0.85),
    atMost('G9', 'full code flow without the hash, ms', flow && flow / 1000, 2),
    atLeast(
      'G10',
      'sign-ins of the raw hash rate (generator on the same cores)',
      hashes && hashes.signInsPerSecond / hashes.hashesPerSecond,
      0.8,
    ),
    unmeasured('G11', 'argon2 compiled for the machine over the prebuilt one', '>= 1.9'),
    atLeast('G12', 'tokens in a storm of sign-ins over idle', storm && storm.stormPerSecond / storm.idlePerSecond, 0.7),
    atMost('G12', 'p99 of tokens in the storm over idle', storm && storm.stormP99Ms / storm.idleP99Ms, 2),
    atMost('G13', 'peak RSS of the hash process in the storm, MB', storm?.hashRssMb, HASH_BASE_MB + HASH_SLOTS * 1.25 * ARGON2_MB),
    atLeast('G13', 'sign-ins refused with 503 or 429 in the storm', storm?.refused, 1),
    atMost('G14', 'RSS idle, MB', memory.idle, 150),
    atMost('G14', 'RSS after load, MB', memory.loaded, 300),
    unmeasured('G15', 'bytes of Redis per session', '<= 3 KB'),
    unmeasured('G16', 'start to the first 200: `npm run bench:start`', '<= 1.5 s'),
    atLeast('G17', 'two processes over one', results.twoProcesses, 1.7),
    unmeasured('G18', 'round trips, exact: `test/protocol/round-trips.test.ts`', 'in CI'),
    unmeasured('G19', 'no ORM call on protocol paths: the same test', '0'),
    soak
      ? atMost('G20', `heap after ${soak.minutes} min of load, growth`, soak.heapSlope, 0.02)
      : unmeasured('G20', 'soak: `--soak 10m`', '<= 2 %'),
    ...(soak ? [atMost('G20', 'p99 at the end over the beginning', soak.p99Drift, 1.2)] : []),
    drops
      ? atMost('G22', 'ratios of G1 to G8 that fell by more than 7 %', drops, 0)
      : unmeasured('G22', 'no earlier result to compare with', '0'),
    ...(growth
      ? [atMost('scale', `dearest operation at ${growth.accounts} accounts over few`, Math.max(...Object.values(growth.ratios)), 1.1)]
      : []),
  ]
}

function share(operation: OperationResult | undefined, baseline: 'bare' | 'ceiling'): number | undefined {
  const [base, ours] = [operation?.[baseline], operation?.gatehouse[0]?.sample]
  return base && ours ? base.cpuUs / ours.cpuUs : undefined
}

function regressions(now: Results, before: Results): number {
  let fallen = 0
  for (const operation of now.operations) {
    const earlier = before.operations.find(({ name }) => name === operation.name)
    const [a, b] = [share(earlier, 'bare') ?? share(earlier, 'ceiling'), share(operation, 'bare') ?? share(operation, 'ceiling')]
    if (a !== undefined && b !== undefined && b < a * 0.93) fallen++
  }
  return fallen
}

function atLeast(id: string, what: string, value: number | undefined, target: number): Goal {
  return judged(id, what, `>= ${target}`, value, (measured) => measured >= target)
}

function atMost(id: string, what: string, value: number | undefined, target: number): Goal {
  return judged(id, what, `<= ${Number(target.toFixed(2))}`, value, (measured) => measured <= target)
}

function judged(id: string, what: string, target: string, value: number | undefined, holds: (measured: number) => boolean): Goal {
  if (value === undefined || Number.isNaN(value)) return unmeasured(id, what, target)
  return { id, what, target, measured: value.toFixed(2), verdict: holds(value) ? 'met' : 'MISSED' }
}

function unmeasured(id: string, what: string, target: string): Goal {
  return { id, what, target, measured: '-', verdict: 'not measured' }
}
