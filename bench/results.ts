import type { Sample } from './measure.ts'
import type { HashRates, Storm } from './storm.ts'

export interface OperationResult {
  readonly name: string
  readonly ceiling: Sample | undefined
  readonly bare: Sample | undefined
  readonly gatehouse: readonly { readonly storage: string; readonly sample: Sample }[]
}

/** What a run leaves behind. */
export interface Results {
  readonly when: string
  readonly mode: string
  readonly rounds: number
  readonly isPinned: boolean
  readonly operations: readonly OperationResult[]
  readonly storm: Storm | undefined
  readonly hashes: HashRates | undefined
  /** Megabytes of the server process. */
  readonly memory: { readonly idle: number; readonly loaded: number }
  readonly readyMs: number
  /** Capacity of two processes over that of one. */
  readonly twoProcesses: number | undefined
  /** By operation: cost after growth over cost before. */
  readonly growth: { readonly accounts: number; readonly ratios: Readonly<Record<string, number>> } | undefined
  readonly soak: { readonly minutes: number; readonly heapSlope: number; readonly p99Drift: number } | undefined
}
