import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import type { Goal } from './goals.ts'
import type { Sample } from './measure.ts'
import type { Results } from './results.ts'

const BEGIN = '<!-- bench:begin -->'
const END = '<!-- bench:end -->'

/** Writes the tables between the markers of the document; what stands around them is written by people. */
export function writeInto(path: string, tables: string): void {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : `# Performance\n\n${BEGIN}\n${END}\n`
  const [before, rest] = text.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error(`${path} has no markers ${BEGIN} and ${END}`)
  writeFileSync(path, `${before}${BEGIN}\n\n${tables}\n${END}${after}`)
}

export function tablesOf(results: Results, goals: readonly Goal[]): string {
  const { mode, when, rounds, operations } = results
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.versions.node}`
  const head = `Measured ${when.slice(0, 16).replace('T', ' ')} UTC, \`${mode}\`, ${rounds} interleaved rounds, ${machine}.`
  const rows = operations.map(({ name, ceiling, bare, gatehouse }) => [
    name,
    cost(ceiling),
    cost(bare),
    ...gatehouse.flatMap(({ sample }) => [cost(sample)]),
    ...gatehouse.flatMap(({ sample }) => [ratio(bare, sample), ratio(ceiling, sample)]),
    ...gatehouse
      .slice(0, 1)
      .flatMap(({ sample }) => [sample.perSecond.toFixed(0), `${sample.p50Ms.toFixed(1)} / ${sample.p99Ms.toFixed(1)}`]),
  ])
  const storages = operations[0]?.gatehouse.map(({ storage }) => storage) ?? []
  const columns = [
    'operation',
    'ceiling',
    'bare engine',
    ...storages.map((storage) => `Gatehouse on ${storage}`),
    ...storages.flatMap(() => ['of bare', 'of ceiling']),
    'per second',
    'p50 / p99 ms',
  ]
  return [
    `${head} Microseconds of processor time of the server process per operation; a share above 1 is cheaper than what it is compared with.`,
    table(columns, rows),
    table(
      ['goal', 'what', 'target', 'measured', ''],
      goals.map(({ id, what, target, measured, verdict }) => [id, what, target, measured, verdict]),
    ),
  ].join('\n\n')
}

function cost(sample: Sample | undefined): string {
  return sample ? sample.cpuUs.toFixed(0) : '-'
}

/** How dear the baseline is in terms of ours. */
export function ratio(baseline: Sample | undefined, ours: Sample | undefined): string {
  return baseline && ours ? (baseline.cpuUs / ours.cpuUs).toFixed(2) : '-'
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')
}
