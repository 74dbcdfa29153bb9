import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from '../test/support/statistics.ts'
import { Connection } from './connection.ts'
import { memoryOf } from './machine.ts'
import { clientCredentials, passwordSignIn } from './requests.ts'
import type { Target } from './target.ts'

export interface Storm {
  readonly idlePerSecond: number
  readonly stormPerSecond: number
  readonly idleP99Ms: number
  readonly stormP99Ms: number
  readonly signedIn: number
  readonly refused: number
  /** Resident memory of server and hash process, megabytes. */
  readonly serverRssMb: number
  readonly hashRssMb: number
}

const TOKEN_CONNECTIONS = 4
const SIGN_IN_CONNECTIONS = 100

/** G12, G13: the token endpoint alone, then while more people sign in than the machine can hash for. */
export async function storm(target: Target, seconds: number): Promise<Storm> {
  await tokens(target, Math.min(1, seconds))
  const idle = await tokens(target, seconds)
  const over = new AbortController()
  const statuses = new Map<number, number>()
  const crowd = Promise.all(
    Array.from({ length: SIGN_IN_CONNECTIONS }, () => signIns(target, over.signal, statuses)),
  )
  await sleep(500)
  const during = await tokens(target, seconds)
  const { rssMb, hashPid } = await target.usage()
  const hashRssMb = memoryOf(hashPid, 'status', 'VmHWM')
  over.abort()
  await crowd
  const others = [...statuses.keys()].filter((status) => ![200, 429, 503].includes(status))
  if (others.length > 0) throw new Error(`sign-ins answered ${others.join(', ')}`)
  return {
    idlePerSecond: idle.length / seconds,
    stormPerSecond: during.length / seconds,
    idleP99Ms: quantile(idle, 0.99),
    stormP99Ms: quantile(during, 0.99),
    signedIn: statuses.get(200) ?? 0,
    refused: (statuses.get(503) ?? 0) + (statuses.get(429) ?? 0),
    serverRssMb: rssMb,
    hashRssMb,
  }
}

async function tokens(target: Target, seconds: number): Promise<number[]> {
  const times: number[] = []
  const until = performance.now() + seconds * 1000
  const request = clientCredentials(target)
  await Promise.all(
    Array.from({ length: TOKEN_CONNECTIONS }, async () => {
      using connection = await Connection.open(target.facts.port)
      while (performance.now() < until) {
        const began = performance.now()
        const { status } = await connection.send(request)
        if (status !== 200) throw new Error(`the token endpoint answered ${status}`)
        times.push(performance.now() - began)
      }
    }),
  )
  return times
}

/** A client that is refused comes back after a second, as it was told to. */
export async function signIns(
  target: Target,
  over: AbortSignal,
  statuses: Map<number, number>,
): Promise<void> {
  using connection = await Connection.open(target.facts.port)
  while (!over.aborted) {
    const { status } = await connection.send(passwordSignIn(target))
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    if (status !== 200) await sleep(1000, undefined, { signal: over }).catch(() => undefined)
  }
}
