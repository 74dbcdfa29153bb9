import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../src/embedded/free-port.ts'
import { resetData } from '../src/embedded/reset.ts'
import { memoryOf, read } from './machine.ts'
import { START_FLAGS } from './start-flags.ts'

const LATER_STARTS = 2
const GIVE_UP_MS = 30_000
const LAUNCHER = join(dirname(fileURLToPath(import.meta.url)), '..', 'bin', 'gatehouse.js')

/**
 * Milliseconds from `npm start`'s command to the first 200 of discovery, and megabytes half a
 * second later.
 */
export interface Starts {
  readonly firstMs: readonly number[]
  readonly laterMs: readonly number[]
  readonly serverRssMb: readonly number[]
  readonly postgresPssMb: readonly number[]
}

/** Every round begins with an empty folder and without a compile cache, as after `npm ci`. */
export async function starts(rounds: number): Promise<Starts> {
  const measured: Record<keyof Starts, number[]> = {
    firstMs: [],
    laterMs: [],
    serverRssMb: [],
    postgresPssMb: [],
  }
  for (let round = 0; round < rounds; round++) {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
    chmodSync(folder, 0o755)
    const dataDir = join(folder, 'data')
    try {
      await measure(measured, measured.firstMs, dataDir)
      for (let later = 0; later < LATER_STARTS; later++)
        await measure(measured, measured.laterMs, dataDir)
    } finally {
      await resetData(dataDir)
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return measured
}

/** The compile cache lives beside the data: the first start has none, as after `npm ci`. */
async function measure(
  measured: { serverRssMb: number[]; postgresPssMb: number[] },
  times: number[],
  dataDir: string,
): Promise<void> {
  const port = await freePort()
  const env = {
    PATH: '/usr/bin:/bin',
    PORT: String(port),
    DATA_DIR: dataDir,
    NODE_COMPILE_CACHE: join(dataDir, '..', 'cache'),
  }
  const began = performance.now()
  const server = spawn(process.execPath, [...START_FLAGS, LAUNCHER, 'start'], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  try {
    await answers(
      `http://localhost:${port}/.well-known/openid-configuration`,
      began,
      () => server.exitCode === null,
    )
    times.push(performance.now() - began)
    await sleep(500)
    measured.serverRssMb.push(memoryOf(server.pid, 'status', 'VmRSS'))
    measured.postgresPssMb.push(
      postgresOf(dataDir).reduce((sum, pid) => sum + memoryOf(pid, 'smaps_rollup', 'Pss'), 0),
    )
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
