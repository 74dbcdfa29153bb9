import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { goalsOf } from './goals.ts'
import { growth } from './growth.ts'
import { hashRates } from './hashes.ts'
import { ALL_CORES, familyOf, MEASURED_CORE, pin, STORAGE_CORE } from './machine.ts'
import { OPERATIONS, type Operation, SIGN_INS, SIGN_INS_BUT_THE_HASH } from './operations.ts'
import { peersInstalled } from './peers.ts'
import { ratio, tablesOf, writeInto } from './report.ts'
import { type OperationResult, type Results, share } from './results.ts'
import { type Effort, interleaved } from './rounds.ts'
import { ScratchPostgres, startRedis } from './scratch.ts'
import { bytesPerSession } from './session-bytes.ts'
import { soak } from './soak.ts'
import { starts } from './starts.ts'
import { storm } from './storm.ts'
import { Target, type TargetSettings } from './target.ts'
import { type TwoProcesses, twoProcesses } from './two-processes.ts'

/**
 * `npm run bench -- [--quick] [--scale 1000000] [--soak 10m] [--only refresh|storm|…] [--database postgres://…] [--write]`,
 * all on loopback. Server and generator take turns on one core, so that a figure is the processor
 * time of one request and no cross-core wake-ups are in it; PostgreSQL and Redis have the other.
 * `--write` puts the tables into docs/performance.md and the figures into bench/baseline.json, with
 * which later runs are compared (G22).
 */
const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    scale: { type: 'string' },
    soak: { type: 'string' },
    only: { type: 'string' },
    database: { type: 'string' },
  },
})
const EFFORT: Effort = options.quick
  ? { rounds: 3, warmUp: 1500, count: 1000 }
  : { rounds: 9, warmUp: 10_000, count: 1000 }
const SECONDS = options.quick ? 3 : 10
/**
 * Every run leaves its figures in the first; those that later runs are compared with are kept in
 * the second.
 */
const LATEST = new URL('./results/latest.json', import.meta.url)
const BASELINE = new URL('./baseline.json', import.meta.url)
const DOCUMENT = fileURLToPath(new URL('../docs/performance.md', import.meta.url))

await using resources = new AsyncDisposableStack()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void resources.disposeAsync().finally(() => process.exit(130)))

const isWhole = options.only === undefined
const started = isWhole ? await starts(options.quick ? 1 : 3) : undefined
const postgres = resources.use(await ScratchPostgres.start(options.database))
const redis = await startRedis()
if (redis) resources.use(redis)
else console.log('no redis-server on PATH: nothing is measured on Redis')
const databaseUrl = await postgres.database()
const isPinned = pin(process.pid, MEASURED_CORE)
if (!isPinned) console.log('taskset is missing: nothing is pinned, and figures are less steady')

const product = await start({ kind: 'gatehouse', databaseUrl })
const onRedis =
  redis &&
  (await start({ kind: 'gatehouse', databaseUrl: await postgres.database(), redisUrl: redis.url }))
const session = redis && onRedis && (await bytesPerSession(onRedis, redis.url))
const targets = [
  await start({ kind: 'koa', databaseUrl: await postgres.database() }),
  await start({ kind: 'bare', databaseUrl }),
  product,
]
if (peersInstalled())
  targets.push(await start({ kind: 'better-auth', databaseUrl: await postgres.database() }))
else console.log('better-auth could not be installed: it is not measured')
if (redis)
  targets.push(
    await start({ kind: 'koa', databaseUrl: await postgres.database(), redisUrl: redis.url }),
  )
if (redis) targets.push(await start({ kind: 'naive', databaseUrl, redisUrl: redis.url }))
if (onRedis) targets.push(onRedis)

const operations: OperationResult[] = []
const twoProcessesOf: Record<string, TwoProcesses> = {}
await measureAll(OPERATIONS, targets)
const loadedRssMb: Record<string, number> = {}
for (const target of targets.filter(({ kind }) => kind === 'gatehouse'))
  loadedRssMb[target.label] = (await target.usage()).rssMb
await inTwoProcesses(
  OPERATIONS.filter((operation) => !SIGN_INS.includes(operation)),
  targets.filter(({ kind }) => kind === 'gatehouse'),
)
await measureButTheHash()

const results: Results = {
  when: new Date().toISOString(),
  command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
  rounds: EFFORT.rounds,
  isPinned,
  operations,
  loadedRssMb,
  bytesPerSession: session,
  starts: started,
  twoProcesses: twoProcessesOf,
  growth: options.scale
    ? await growth({ postgres, accounts: Number(options.scale), effort: EFFORT, pinned })
    : undefined,
  ...(await onAllCores()),
}
const baseline = existsSync(BASELINE)
  ? (JSON.parse(readFileSync(BASELINE, 'utf8')) as Results)
  : undefined
const tables = tablesOf(results, goalsOf(results, baseline))
console.log(`\n${tables}`)
const json = `${JSON.stringify(results, undefined, 2)}\n`
mkdirSync(new URL('.', LATEST), { recursive: true })
writeFileSync(LATEST, json)
if (options.write) {
  writeFileSync(BASELINE, json)
  writeInto(DOCUMENT, tables)
}

async function start(settings: TargetSettings): Promise<Target> {
  const target = resources.use(await Target.start(settings))
  pinned(target)
  return target
}

function pinned({ pid }: Target): void {
  if (isPinned) pin(pid, MEASURED_CORE)
}

async function measureAll(all: readonly Operation[], on: readonly Target[]): Promise<void> {
  for (const operation of all.filter(({ name }) => name.includes(options.only ?? ''))) {
    const result = { name: operation.name, figures: await interleaved(on, operation, EFFORT) }
    operations.push(result)
    const [ofBare, ofCeiling] = [
      ratio(share(result, 'bare', 'gatehouse')),
      ratio(share(result, 'koa', 'gatehouse')),
    ]
    stage(
      `${operation.name}: ${result.figures['gatehouse']?.cpuUs.toFixed(0)} us, ${ofBare} of bare, ${ofCeiling} of the ceiling`,
    )
  }
}

/**
 * Sign-ins once more, with a hash that costs next to nothing. At its true cost the server waits for
 * it most of the time, and after every pause caches are cold: that more than doubles what any
 * server uses, the bare engine too, and is no property of what is measured.
 */
async function measureButTheHash(): Promise<void> {
  if (!SIGN_INS_BUT_THE_HASH.some(({ name }) => name.includes(options.only ?? ''))) return
  const ours = [
    await start({ kind: 'gatehouse', databaseUrl: await postgres.database(), hasCheapHash: true }),
  ]
  if (redis)
    ours.push(
      await start({
        kind: 'gatehouse',
        databaseUrl: await postgres.database(),
        redisUrl: redis.url,
        hasCheapHash: true,
      }),
    )
  await measureAll(SIGN_INS_BUT_THE_HASH, [
    ...targets.filter(({ kind }) => kind !== 'gatehouse'),
    ...ours,
  ])
  await inTwoProcesses(SIGN_INS_BUT_THE_HASH, ours)
}

/** Beside a second process on the same storage; the second has the other core. */
async function inTwoProcesses(all: readonly Operation[], ours: readonly Target[]): Promise<void> {
  if (!isWhole) return
  for (const first of ours) {
    await using second = await Target.start(first.settings)
    if (isPinned) pin(second.pid, STORAGE_CORE)
    twoProcessesOf[first.label] = {
      ...twoProcessesOf[first.label],
      ...(await twoProcesses([first, second], all, EFFORT)),
    }
    stage(`two processes, ${first.label}`)
  }
}

/**
 * What is about the whole machine: hashing, storms, long runs. Everybody may use all of it, the
 * hash process and PostgreSQL too.
 */
async function onAllCores(): Promise<Pick<Results, 'storm' | 'hashes' | 'soak'>> {
  for (const pid of [process.pid, product.pid, ...postgres.processes()].flatMap(familyOf))
    pin(pid, ALL_CORES)
  const stormed = isWhole || options.only === 'storm' ? await storm(product, SECONDS) : undefined
  if (stormed)
    stage(
      `storm: ${ratio(stormed.stormPerSecond / stormed.idlePerSecond)} of the tokens of an idle server`,
    )
  const hashes = isWhole
    ? await hashRates(product, { rounds: EFFORT.rounds, seconds: Math.ceil(SECONDS / 5) })
    : undefined
  stage('hashes')
  return {
    storm: stormed,
    hashes,
    soak: options.soak ? await soak(product, Number.parseFloat(options.soak)) : undefined,
  }
}

function stage(text: string): void {
  console.log(`${(performance.now() / 1000).toFixed(0).padStart(5)} s  ${text}`)
}
