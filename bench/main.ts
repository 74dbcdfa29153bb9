import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { startEmbeddedPostgres } from '../src/embedded/postgres.ts'
import { goalsOf } from './goals.ts'
import { grow } from './growth.ts'
import { measure, median, medians, type Sample } from './measure.ts'
import { OPERATIONS, type Operation } from './operations.ts'
import { ratio, tablesOf, writeInto } from './report.ts'
import type { OperationResult, Results } from './results.ts'
import { soak } from './soak.ts'
import { hashRates, storm } from './storm.ts'
import { pin, Target } from './target.ts'

/**
 * `npm run bench -- [--quick] [--scale 1000000] [--soak 10m] [--only refresh] [--redis redis://…] [--database postgres://…] [--write]`.
 * Everything on loopback. Server and generator take turns on one core, so that a figure is the processor time of one request
 * and no cross-core wake-ups are in it; PostgreSQL has the other. `--write` puts the tables into docs/performance.md and the figures
 * into bench/baseline.json, with which later runs are compared (G22).
 */
const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    scale: { type: 'string' },
    soak: { type: 'string' },
    only: { type: 'string' },
    redis: { type: 'string' },
    database: { type: 'string' },
  },
})
const ROUNDS = options.quick ? 3 : 5
const COUNT = options.quick ? 1500 : 10_000
const CONCURRENCY = 8
const CORE = '0'
/** Every run leaves its figures in the first; those that later runs are compared with are kept in the second. */
const LATEST = new URL('./results/latest.json', import.meta.url)
const BASELINE = new URL('./baseline.json', import.meta.url)
const DOCUMENT = new URL('../docs/performance.md', import.meta.url)

await using resources = new AsyncDisposableStack()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void resources.disposeAsync().finally(() => process.exit(130)))
const databaseUrl = await scratchDatabase()
const storages = [undefined, ...(options.redis ? [options.redis] : [])]
const koa = resources.use(await Target.start({ kind: 'koa', databaseUrl }))
const bare = resources.use(await Target.start({ kind: 'bare', databaseUrl }))
const products: Target[] = []
for (const redisUrl of storages) products.push(resources.use(await Target.start({ kind: 'gatehouse', databaseUrl, redisUrl })))
const [product] = products
if (!product) throw new Error('no target')
const idle = (await product.usage({ collect: true })).rssMb
const targets = [koa, bare, ...products]

const isPinned = pinAll(CORE)
if (!isPinned) console.log('taskset is missing: nothing is pinned, and figures are less steady')
const wanted = OPERATIONS.filter(({ name }) => !options.only || name.includes(options.only))
const operations: OperationResult[] = []
for (const operation of wanted) operations.push(await compare(operation))
const loaded = (await product.usage()).rssMb

const twoProcesses = options.only ? undefined : await twoOverOne()
if (isPinned) unpinAll()
const seconds = options.quick ? 3 : 10
const stormed = options.only ? undefined : await storm(product, seconds)
const hashes = options.only ? undefined : await hashRates(product, seconds)
const growth = options.scale ? await growthOf(Number(options.scale)) : undefined
const soaked = options.soak ? await soak(product, Number.parseFloat(options.soak)) : undefined

const results: Results = {
  when: new Date().toISOString(),
  mode: options.quick ? 'npm run bench -- --quick' : 'npm run bench',
  rounds: ROUNDS,
  isPinned,
  operations,
  storm: stormed,
  hashes,
  memory: { idle, loaded },
  readyMs: product.readyMs,
  twoProcesses,
  growth,
  soak: soaked,
}
const previous = existsSync(BASELINE) ? (JSON.parse(readFileSync(BASELINE, 'utf8')) as Results) : undefined
const tables = tablesOf(results, goalsOf(results, previous))
console.log(`\n${tables}`)
const json = `${JSON.stringify(results, undefined, 2)}\n`
mkdirSync(new URL('.', LATEST), { recursive: true })
writeFileSync(LATEST, json)
if (options.write) {
  writeFileSync(BASELINE, json)
  writeInto(DOCUMENT.pathname, tables)
}

/** The rounds of all targets take turns: what disturbs the machine disturbs all of them. */
async function compare(operation: Operation): Promise<OperationResult> {
  const count = Math.max(20, Math.round(COUNT * (operation.share ?? 1)))
  const concurrency = operation.concurrency ?? CONCURRENCY
  const asked = targets.filter(({ kind }) => (kind === 'koa' ? operation.ceiling : operation.on.includes(kind)))
  const samples = new Map<Target, Sample[]>(asked.map((target) => [target, []]))
  for (let round = -1; round < ROUNDS; round++)
    for (const target of asked) {
      const sample = await measure(target, operation, count, concurrency)
      if (round >= 0) samples.get(target)?.push(sample)
    }
  const of = (target: Target): Sample | undefined => {
    const own = samples.get(target)
    return own && medians(own)
  }
  const gatehouse = products.flatMap((target) => {
    const sample = of(target)
    return sample ? [{ storage: target.storage, sample }] : []
  })
  const result = { name: operation.name, ceiling: of(koa), bare: of(bare), gatehouse }
  const ours = gatehouse[0]?.sample
  console.log(
    `${operation.name.padEnd(26)} ${ours?.cpuUs.toFixed(0).padStart(6)} us  ${ratio(result.bare, ours)} of bare  ${ratio(result.ceiling, ours)} of ceiling`,
  )
  return result
}

/** G17: both processes under load on the same storage, each on a core of its own; capacity is what a core can do at that cost. */
async function twoOverOne(): Promise<number | undefined> {
  const operation = OPERATIONS.find(({ name }) => name.startsWith('refresh'))
  if (!operation || !product) return undefined
  const one: number[] = []
  const two: number[] = []
  await using second = await Target.start({ kind: 'gatehouse', databaseUrl, redisUrl: undefined })
  if (isPinned) pin(second.pid, '1')
  await measure(second, operation, COUNT / 2, CONCURRENCY)
  for (let round = 0; round < ROUNDS; round++) {
    one.push((await measure(product, operation, COUNT / 2, CONCURRENCY)).cpuUs)
    const both = await Promise.all([product, second].map((target) => measure(target, operation, COUNT / 2, CONCURRENCY)))
    two.push((both[0]?.cpuUs ?? Number.NaN) / 2 + (both[1]?.cpuUs ?? Number.NaN) / 2)
  }
  return (2 * median(one)) / median(two)
}

/** The same operations before and after the tables have grown. */
async function growthOf(accounts: number): Promise<Results['growth']> {
  if (!product) return undefined
  const costs = async (): Promise<Map<string, number>> => {
    const found = new Map<string, number>()
    for (const operation of OPERATIONS.filter(({ on }) => on.includes('gatehouse'))) {
      const count = Math.max(20, Math.round((COUNT / 2) * (operation.share ?? 1)))
      const samples: Sample[] = []
      for (let round = 0; round < ROUNDS; round++)
        samples.push(await measure(product, operation, count, operation.concurrency ?? CONCURRENCY))
      found.set(operation.name, median(samples.map(({ perSecond }) => 1 / perSecond)))
    }
    return found
  }
  await grow(databaseUrl, 1000, 100)
  const few = await costs()
  await grow(databaseUrl, accounts, Math.min(accounts, 10_000))
  const many = await costs()
  return { accounts, ratios: Object.fromEntries([...many].map(([name, value]) => [name, value / (few.get(name) ?? Number.NaN)])) }
}

function pinAll(core: string): boolean {
  return [process.pid, ...targets.map(({ pid }) => pid)].every((pid) => pin(pid, core))
}

function unpinAll(): void {
  for (const pid of [process.pid, ...targets.map((target) => target.pid)]) pin(pid, '0-1023')
}

/** A database of this run only, on the given server or on an embedded one. */
async function scratchDatabase(): Promise<string> {
  let admin = options.database
  if (!admin) {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
    resources.defer(() => rmSync(folder, { recursive: true, force: true }))
    admin = resources.use(await startEmbeddedPostgres({ dataDir: folder })).url
  }
  const url = new URL(admin)
  const name = `gatehouse_bench_${randomBytes(4).toString('hex')}`
  await administer(admin, `create database ${name}`)
  resources.defer(() => administer(url.href.replace(/\/[^/]*$/, '/postgres'), `drop database if exists ${name} with (force)`))
  const own = new URL(admin)
  own.pathname = `/${name}`
  return own.href
}

async function administer(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(text)
  await client.end()
}
