import { median } from '../test/support/statistics.ts'
import { measure, medians, type Sample } from './measure.ts'
import type { Operation } from './operations.ts'
import type { Target } from './target.ts'

export interface Effort {
  readonly rounds: number
  /** Operations before the first round, and in each. */
  readonly warmUp: number
  readonly count: number
}

/** Medians over the rounds, and what ratios are made of: each round by itself. */
export interface Figure extends Sample {
  readonly rounds: Readonly<Record<'cpuUs' | 'perSecond', readonly number[]>>
}

/**
 * The median of the rounds' own ratios: the machine's speed changes from minute to minute, and two
 * that took turns saw the same.
 */
export function overRounds(a: Figure, b: Figure, what: 'cpuUs' | 'perSecond'): number {
  return median(a.rounds[what].map((value, round) => value / (b.rounds[what][round] ?? Number.NaN)))
}

/** Repetitions of this operation: at least a few for each connection. */
export function sizesOf(
  { concurrency, share, warmUpShare }: Operation,
  { warmUp, count }: Effort,
): Pick<Effort, 'warmUp' | 'count'> {
  const atLeast = (number: number): number => Math.max(4 * concurrency, Math.round(number))
  return { warmUp: atLeast(warmUp * warmUpShare), count: atLeast(count * share) }
}

/**
 * The rounds of all targets take turns: what disturbs the machine disturbs all of them. Medians, by
 * the target's label.
 */
export async function interleaved(
  targets: readonly Target[],
  operation: Operation,
  effort: Effort,
): Promise<Record<string, Figure>> {
  const { warmUp, count } = sizesOf(operation, effort)
  const asked = targets.filter(({ kind }) => operation.on.includes(kind))
  const samples = new Map<Target, Sample[]>(asked.map((target) => [target, []]))
  for (const target of asked) await measure(target, operation, warmUp, 1)
  for (let round = 0; round < effort.rounds; round++)
    for (const target of asked) samples.get(target)?.push(await measure(target, operation, count))
  return Object.fromEntries([...samples].map(([{ label }, own]) => [label, figure(own)]))
}

function figure(samples: readonly Sample[]): Figure {
  const of = (what: 'cpuUs' | 'perSecond') =>
    samples.map((sample) => Number(sample[what].toFixed(1)))
  return { ...medians(samples), rounds: { cpuUs: of('cpuUs'), perSecond: of('perSecond') } }
}
