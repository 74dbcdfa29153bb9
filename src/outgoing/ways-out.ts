import { isIP } from 'node:net'
import type { Config } from '../config/config.ts'
import { parseDatabaseUrl } from '../config/database-url.ts'
import { OUTGOING } from '../config/limits.ts'
import {
  createGuardedFetch,
  type Fetch,
  type GuardedFetchOptions,
  proveGuard,
} from './guarded-fetch.ts'
import { operatorsReach } from './operators-reach.ts'

/** The guarded ways out of the server. */
export interface WaysOut {
  /** To the public internet: for what anybody may have named. */
  readonly toPublic: Fetch
  /** The same, for bodies of the size of a picture. */
  readonly toPictures: Fetch
  /**
   * To servers that an operator has named: also in the listed private networks, and there by http
   * where the operator has said so of this very server.
   */
  toOperators(how: { readonly isPlain: boolean }): Fetch
  /** To servers that people sign in with, which the operator has named: by https, and slower. */
  readonly toProviders: Fetch
  /** Whether the operator may name this host, though it is not on the public internet. */
  mayName(hostname: string): boolean
}

/** `forTests` takes the place of the rules. Throws `StartupError` if a way is not guarded. */
export async function openWaysOut(
  config: Config,
  forTests: GuardedFetchOptions | undefined,
): Promise<WaysOut> {
  const { privateNetworks: networks, loopback } = config.outgoing
  const { isInside, isAllowed } = operatorsReach({
    networks,
    loopback,
    own: { issuer: config.issuer, port: config.port, storePorts: storePorts(config) },
  })
  const toPublic = createGuardedFetch(forTests)
  const toPictures = createGuardedFetch({ maxBytes: OUTGOING.pictureBytes, ...forTests })
  const secured = createGuardedFetch({ isAllowed, ...forTests })
  const toProviders = createGuardedFetch({
    isAllowed,
    timeoutMs: OUTGOING.providerMs,
    ...forTests,
  })
  const plain = createGuardedFetch({ isAllowed, allowsPlain: true, ...forTests })
  // The others differ in size, or allow less.
  if (!forTests) await proveGuard(toPublic)
  if (!forTests && !loopback) await proveGuard(plain)
  return {
    toPublic,
    toPictures,
    toProviders,
    toOperators: ({ isPlain }) => (isPlain ? plain : secured),
    mayName(hostname) {
      const host = hostname.replace(/^\[|\]$/g, '')
      if (isIP(host)) return isInside(host)
      return /(^|\.)localhost$/.test(host) ? loopback : loopback || networks.length > 0
    },
  }
}

/** Where the stores of this server answer; the bus of a Redis Cluster is 10,000 above. */
function storePorts({ database, redis }: Config): ReadonlySet<number> {
  const postgres = [database.url, database.directUrl ?? database.url].map(
    (url) => parseDatabaseUrl(url).port,
  )
  const addresses = [
    ...(redis?.urls ?? []),
    ...(redis?.sentinels ?? []).map((address) => `redis://${address}`),
  ]
  const servers = addresses.map((address) => Number(URL.parse(address)?.port || 6379))
  return new Set([...postgres, ...servers.flatMap((port) => [port, port + 10_000])])
}
