import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { resetData } from '../src/embedded/reset.ts'

/** `npm run bench:start [rounds]`: from `node bin/gatehouse.js` on an empty folder to the first 200 of discovery, and the memory it takes. */
const ROUNDS = Number(process.argv[2] ?? 5)
const LATER_STARTS = 2
const GIVE_UP_MS = 30_000
const GOALS = { 'first start': [3000, 'ms'], 'later start': [1500, 'ms'], 'server RSS': [200, 'MB'] } as const

const LAUNCHER = join(dirname(fileURLToPath(import.meta.url)), '..', 'bin', 'gatehouse.js')
const measured: Record<string, number[]> = { 'first start': [], 'later start': [], 'server RSS': [], 'PostgreSQL PSS': [] }

for (let round = 0; round < ROUNDS; round++) {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
  chmodSync(folder, 0o755)
  const dataDir = join(folder, 'data')
  try {
    await measure('first start', dataDir)
    for (let later = 0; later < LATER_STARTS; later++) await measure('later start', dataDir)
  } finally {
    await resetData(dataDir)
    rmSync(folder, { recursive: true, force: true })
  }
}
for (const [name, values] of Object.entries(measured)) report(name, values)

/** The compile cache lives beside the data: the first start has none, as after `npm ci`. */
async function measure(name: string, dataDir: string): Promise<void> {
  const port = await freePort()
  const env = { PATH: '/usr/bin:/bin', PORT: String(port), DATA_DIR: dataDir, NODE_COMPILE_CACHE: join(dataDir, '..', 'cache') }
  const began = performance.now()
  const server = spawn(process.execPath, [LAUNCHER, 'start'], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  try {
    await answers(`http://localhost:${port}/.well-known/openid-configuration`, began, () => server.exitCode === null)
    measured[name]?.push(performance.now() - began)
    await sleep(500)
    measured['server RSS']?.push(memory(server.pid ?? 0, 'status', 'VmRSS'))
    measured['PostgreSQL PSS']?.push(postgresOf(dataDir).reduce((sum, pid) => sum + memory(pid, 'smaps_rollup', 'Pss'), 0))
  } finally {
    server.kill('SIGTERM')
    await ended
  }
}

async function answers(url: string, began: number, isRunning: () => boolean): Promise<void> {
  while ((await status(url)) !== 200) {
    if (!isRunning()) throw new Error('Gatehouse ended before it answered')
    if (performance.now() - began > GIVE_UP_MS) throw new Error(`no answer within ${GIVE_UP_MS} ms`)
    await sleep(5)
  }
}

function status(url: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { timeout: 2000, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('timeout', () => request.destroy()).on('error', () => resolve(undefined))
  })
}

/** The server on that data folder and its children. */
function postgresOf(dataDir: string): number[] {
  const parents = new Map<number, number>()
  let postmaster = 0
  for (const pid of readdirSync('/proc').map(Number)) {
    const stat = read(`/proc/${pid}/stat`)
    if (!stat) continue
    parents.set(pid, Number(stat.slice(stat.lastIndexOf(')') + 1).split(' ')[2]))
    if (read(`/proc/${pid}/cmdline`)?.includes(`${dataDir}/postgres/cluster/data`)) postmaster = pid
  }
  return [...parents.keys()].filter((pid) => pid === postmaster || parents.get(pid) === postmaster)
}

/** Megabytes. */
function memory(pid: number, file: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(read(`/proc/${pid}/${file}`) ?? '')?.[1] ?? Number.NaN) / 1024
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

function report(name: string, values: readonly number[]): void {
  const sorted = values.toSorted((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const [goal, unit] = GOALS[name as keyof typeof GOALS] ?? [undefined, 'MB']
  const verdict = goal === undefined ? '' : `  goal ${goal} ${unit}: ${median <= goal ? 'met' : 'MISSED'}`
  const range = `${sorted[0]?.toFixed(0)}-${sorted.at(-1)?.toFixed(0)}`
  process.stdout.write(`${name.padEnd(15)} ${median.toFixed(0).padStart(5)} ${unit}  (${range}, n=${sorted.length})${verdict}\n`)
}
