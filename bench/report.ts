import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import type { Goal } from './goals.ts'
import type { Sample } from './measure.ts'
import { type OperationResult, type Results, STORAGES, type Storage, share } from './results.ts'

const BEGIN = '<!-- bench:begin -->'
const END = '<!-- bench:end -->'

/** Writes the tables between the markers of the document; what stands around them is written by people. */
export function writeInto(path: string, tables: string): void {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const [before, rest] = text.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined)
    throw new Error(`${path} has no markers ${BEGIN} and ${END}`)
  const folded = tables.split('\n').map(fold).join('\n')
  writeFileSync(path, `${before}${BEGIN}\n\n${folded}\n\n${END}${after}`)
}

/** Prose in lines of the documents' width; a row of a table is one line. */
function fold(line: string): string {
  return line.startsWith('|') ? line : line.replaceAll(/(.{1,118})(?: |$)/g, '$1\n').trimEnd()
}

export function tablesOf(results: Results, goals: readonly Goal[]): string {
  const { operations } = results
  return [
    head(results),
    '### Processor time of one operation, microseconds',
    table(
      [
        'operation',
        'ceiling',
        'ceiling on Redis',
        'bare engine',
        'usual Redis adapter',
        'better-auth',
        'Gatehouse',
        'Gatehouse on Redis',
      ],
      operations.map(costs),
    ),
    '### Of what is possible',
    'The baseline over Gatehouse: above 1, Gatehouse is cheaper. Latency is that of a closed loop with the generator on the same core.',
    table(
      [
        'operation',
        ...STORAGES.flatMap(({ name }) => [
          `of bare, ${name}`,
          `of ceiling, ${name}`,
          `p50 / p99 ms, ${name}`,
        ]),
      ],
      operations.map((operation) => [
        operation.name,
        ...STORAGES.flatMap((storage) => standing(operation, storage)),
      ]),
    ),
    '### Goals',
    table(
      ['goal', 'what', 'target', 'measured', ''],
      goals.map(({ id, what, target, measured, verdict }) => [id, what, target, measured, verdict]),
    ),
    ...details(results),
  ].join('\n\n')
}

function head({ command, when, rounds, isPinned, operations }: Results): string {
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.versions.node}`
  const foreign = Math.max(
    0,
    ...operations.flatMap(({ figures }) => Object.values(figures).map((sample) => sample.foreign)),
  )
  const pinning = isPinned ? '' : ' Nothing was pinned to a core: `taskset` is missing.'
  return `\`${command}\`, ${when.slice(0, 16).replace('T', ' ')} UTC, ${rounds} interleaved rounds, ${machine}. Others had at most ${(foreign * 100).toFixed(0)} % of the measured core.${pinning}`
}

function costs({ name, figures }: OperationResult): string[] {
  const of = (label: string): string => cost(figures[label])
  return [
    name,
    of('koa'),
    of('koa on Redis'),
    of('bare'),
    of('naive'),
    of('better-auth'),
    ...STORAGES.map(({ ours }) => of(ours)),
  ]
}

function standing(operation: OperationResult, { ours, ceiling }: Storage): string[] {
  const sample = operation.figures[ours]
  const latency = sample ? `${sample.p50Ms.toFixed(1)} / ${sample.p99Ms.toFixed(1)}` : '-'
  return [ratio(share(operation, 'bare', ours)), ratio(share(operation, ceiling, ours)), latency]
}

function details({ storm, hashes, growth, soak, twoProcesses }: Results): string[] {
  const parts: string[] = []
  const names = Object.keys(Object.values(twoProcesses)[0] ?? {})
  if (names.length > 0)
    parts.push(
      'Two processes: what both can serve over what one can.',
      table(
        ['operation', ...STORAGES.map(({ name }) => name)],
        names.map((name) => [
          name,
          ...STORAGES.map(({ ours }) => ratio(twoProcesses[ours]?.[name])),
        ]),
      ),
    )
  if (storm)
    parts.push(
      `Storm: ${whole(storm.idlePerSecond)} tokens a second before (p99 ${storm.idleP99Ms.toFixed(1)} ms), ${whole(storm.stormPerSecond)} in it (p99 ${storm.stormP99Ms.toFixed(1)} ms); ${storm.signedIn} people were signed in, ${storm.refused} told to come back later. Server ${whole(storm.serverRssMb)} MB, hash process ${whole(storm.hashRssMb)} MB at most.`,
    )
  if (hashes)
    parts.push(
      `Hashes a second: ${hashes.installed.toFixed(1)} with the installed argon2, ${hashes.compiled?.toFixed(1) ?? '- (not compiled)'} as the image has it; ${hashes.signIns.toFixed(1)} sign-ins a second.`,
    )
  if (growth)
    parts.push(
      `Growth: time of an operation with ${growth.accounts} accounts, as many refresh-token families and ${growth.clients} clients, over 1,000 of each (loaded in ${whole(growth.loadSeconds)} s).`,
      table(
        ['operation', 'many over few'],
        Object.entries(growth.ratios).map(([name, value]) => [
          name,
          (Math.ceil(value * 100) / 100).toFixed(2),
        ]),
      ),
    )
  if (soak)
    parts.push(
      `Soak: ${soak.minutes} minutes, ${soak.operations} operations. Heap ${pair(soak.heapMb)} MB, RSS ${pair(soak.rssMb)} MB, p99 ${pair(soak.p99Ms)} ms (first and last fifth).`,
    )
  return parts
}

const whole = (value: number): string => value.toFixed(0)
const pair = ([first, last]: readonly [number, number]): string =>
  `${first.toFixed(1)} to ${last.toFixed(1)}`

function cost(sample: Sample | undefined): string {
  return sample ? sample.cpuUs.toFixed(0) : '-'
}

/** Cut off, not rounded up. */
export function ratio(value: number | undefined): string {
  return value === undefined ? '-' : (Math.floor(value * 100) / 100).toFixed(2)
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')
}
