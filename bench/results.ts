import type { Growth } from './growth.ts'
import type { HashRates } from './hashes.ts'
import { type Figure, overRounds } from './rounds.ts'
import type { Soak } from './soak.ts'
import type { Starts } from './starts.ts'
import type { Storm } from './storm.ts'
import type { TwoProcesses } from './two-processes.ts'

export interface OperationResult {
  readonly name: string
  /** By the label of the target. */
  readonly figures: Readonly<Record<string, Figure>>
}

/** What a run leaves behind; what it was not asked for is missing. */
export interface Results {
  readonly when: string
  readonly command: string
  readonly rounds: number
  readonly isPinned: boolean
  readonly operations: readonly OperationResult[]
  /** Megabytes of each Gatehouse process after all operations, by label. */
  readonly loadedRssMb: Readonly<Record<string, number>>
  readonly bytesPerSession: number | undefined
  /** By label of ours. */
  readonly twoProcesses: Readonly<Record<string, TwoProcesses>>
  readonly storm: Storm | undefined
  readonly hashes: HashRates | undefined
  readonly starts: Starts | undefined
  readonly growth: Growth | undefined
  readonly soak: Soak | undefined
}

/** Ours, by storage; what stands beside each is on the same storage. */
export const STORAGES = [
  { name: 'PostgreSQL', ours: 'gatehouse', ceiling: 'koa' },
  { name: 'Redis', ours: 'gatehouse on Redis', ceiling: 'koa on Redis' },
] as const

export type Storage = (typeof STORAGES)[number]

/** How dear the baseline is in terms of ours: above 1, ours is cheaper. */
export function share(
  result: OperationResult | undefined,
  baseline: string,
  ours: string,
): number | undefined {
  const [base, own] = [result?.figures[baseline], result?.figures[ours]]
  return base && own ? overRounds(base, own, 'cpuUs') : undefined
}
