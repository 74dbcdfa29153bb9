import { HASH_SLOTS } from '../src/crypto/argon2.ts'
import { median } from '../test/support/statistics.ts'
import { type OperationResult, type Results, STORAGES, type Storage, share } from './results.ts'

export interface Goal {
  readonly id: string
  readonly what: string
  readonly target: string
  readonly measured: string
  readonly verdict: 'met' | 'MISSED' | 'not measured' | 'tested'
}

const ARGON2_MB = (19_456 * 1024) / 1e6
/** Node and argon2 before the first hash. */
const HASH_BASE_MB = 90
const CC = 'client_credentials, JWT'

function operationIn({ operations }: Results, name: string): OperationResult | undefined {
  return operations.find((operation) => operation.name === name)
}

/** G1 to G8: what an operation costs beside a baseline of the same run. */
function sharesOf(results: Results): Goal[] {
  const find = (name: string) => operationIn(results, name)
  const perStorage = (
    make: (ours: string, storage: string, ceiling: string) => Goal,
    storages: readonly Storage[] = STORAGES,
  ): Goal[] => storages.map(({ name, ours, ceiling }) => make(ours, name, ceiling))
  const ofBare = (
    id: string,
    name: string,
    target: number,
    storages?: readonly Storage[],
  ): Goal[] =>
    perStorage(
      (ours, on) =>
        atLeast(
          id,
          `${name} of the bare engine, on ${on}`,
          share(find(name), 'bare', ours),
          target,
        ),
      storages,
    )
  const onRedis = STORAGES.filter(({ name }) => name === 'Redis')
  return [
    ...ofBare('G1', CC, 0.9),
    ...perStorage((ours, on, ceiling) =>
      atLeast('G2', `${CC} of Koa and one ES256, on ${on}`, share(find(CC), ceiling, ours), 0.3),
    ),
    ...ofBare('G3', 'refresh with rotation', 0.85, onRedis),
    ...ofBare('G4', 'code exchange', 0.85, onRedis),
    ...ofBare('G5', 'introspection', 0.8),
    ...ofBare('G6', 'userinfo', 0.7),
    ...['refresh with rotation', 'code exchange', 'introspection', 'userinfo'].map((name) =>
      atLeast(
        'G7',
        `${name} over the usual Redis adapter`,
        share(find(name), 'naive', 'gatehouse on Redis'),
        1.15,
      ),
    ),
    ...['discovery', 'JWKS'].map((name) =>
      atLeast('G8', `${name} of Koa hello`, share(find(name), 'koa', 'gatehouse'), 0.85),
    ),
  ]
}

/** The goals of this run, as measured: cut off, never rounded up; what was not measured says so. */
export function goalsOf(results: Results, baseline: Results | undefined): Goal[] {
  const { storm, hashes, starts, growth, soak, twoProcesses, bytesPerSession, loadedRssMb } =
    results
  const flow = operationIn(results, 'full code flow but the hash')
  const shares = sharesOf(results)
  return [
    ...shares,
    ...STORAGES.map(({ name, ours }) =>
      atMost(
        'G9',
        `full code flow but the hash over the bare engine on the usual Redis adapter, on ${name}`,
        share(flow, ours, 'naive'),
        1.5,
      ),
    ),
    atLeast('G10', 'sign-ins per hash that argon2 alone makes', hashes?.shares.signIns, 0.8),
    atLeast(
      'G11',
      'argon2 as the image has it over the installed one',
      hashes?.shares.compiled,
      1.9,
    ),
    atLeast(
      'G12',
      'tokens in a storm of sign-ins over idle',
      storm && storm.stormPerSecond / storm.idlePerSecond,
      0.7,
    ),
    atMost(
      'G12',
      'p99 of tokens in the storm over idle',
      storm && storm.stormP99Ms / storm.idleP99Ms,
      2,
    ),
    atMost(
      'G13',
      'peak RSS of the hash process in the storm, MB',
      storm?.hashRssMb,
      HASH_BASE_MB + HASH_SLOTS * 1.25 * ARGON2_MB,
    ),
    atLeast('G13', 'sign-ins told to come back later in the storm', storm?.refused, 1),
    atMost('G14', 'RSS after the start, MB', starts && median(starts.serverRssMb), 150),
    ...Object.entries(loadedRssMb).map(([label, rss]) =>
      atMost('G14', `RSS after all load, MB, ${label}`, rss, 300),
    ),
    atMost('G15', 'bytes of Redis per session', bytesPerSession, 3000),
    atMost(
      'G16',
      'start to the first 200, with embedded PostgreSQL, s',
      starts && median(starts.laterMs) / 1000,
      1.5,
    ),
    ...STORAGES.map(({ name, ours }) =>
      atLeast(
        'G17',
        `two processes over one, median of all operations, on ${name}`,
        middle(twoProcesses[ours]),
        1.7,
      ),
    ),
    tested('G18', 'round trips per request, exact: `test/protocol/round-trips.test.ts`'),
    tested('G19', 'no ORM call on protocol paths: the same test'),
    atMost(
      'G20',
      'soak: heap at the end over the beginning',
      soak && soak.heapMb[1] / soak.heapMb[0],
      1.02,
    ),
    atMost(
      'G20',
      'soak: p99 at the end over the beginning',
      soak && soak.p99Ms[1] / soak.p99Ms[0],
      1.2,
    ),
    ...[CC, 'refresh with rotation'].map((name) =>
      atLeast(
        'G21',
        `${name} over better-auth, both on PostgreSQL`,
        share(operationIn(results, name), 'better-auth', 'gatehouse'),
        3,
      ),
    ),
    atMost(
      'G22',
      'shares of G1 to G8 that fell by more than 7 % since the last recorded run',
      baseline && fallen(shares, sharesOf(baseline)),
      0,
    ),
    atMost(
      'scale',
      `dearest operation with ${growth?.accounts ?? 'many'} accounts over 1,000`,
      growth && Math.max(...Object.values(growth.ratios)),
      1.1,
    ),
  ]
}

function middle(values: Readonly<Record<string, number>> | undefined): number | undefined {
  return values && median(Object.values(values))
}

function fallen(now: readonly Goal[], before: readonly Goal[]): number {
  const earlier = new Map(
    before.map(({ id, what, measured }) => [`${id} ${what}`, Number(measured)]),
  )
  return now.filter(
    ({ id, what, measured }) => Number(measured) < (earlier.get(`${id} ${what}`) ?? 0) * 0.93,
  ).length
}

function atLeast(id: string, what: string, value: number | undefined, target: number): Goal {
  return judged(
    { id, what, target: `>= ${target}` },
    value,
    (measured) => measured >= target,
    Math.floor,
  )
}

function atMost(id: string, what: string, value: number | undefined, target: number): Goal {
  return judged(
    { id, what, target: `<= ${Number(target.toFixed(2))}` },
    value,
    (measured) => measured <= target,
    Math.ceil,
  )
}

function judged(
  goal: Pick<Goal, 'id' | 'what' | 'target'>,
  value: number | undefined,
  holds: (measured: number) => boolean,
  cut: (hundredths: number) => number,
): Goal {
  if (value === undefined || Number.isNaN(value))
    return { ...goal, measured: '-', verdict: 'not measured' }
  return {
    ...goal,
    measured: (cut(value * 100) / 100).toFixed(2),
    verdict: holds(value) ? 'met' : 'MISSED',
  }
}

function tested(id: string, what: string): Goal {
  return { id, what, target: 'exact', measured: 'in CI', verdict: 'tested' }
}
