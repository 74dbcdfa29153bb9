import type { Cluster, Redis } from 'ioredis'
import { clusterOptions, isTls, redisOptions } from './options.ts'

export interface RedisSettings {
  /** One server, or several for a Cluster. */
  readonly urls: readonly string[]
  /** `host:port`; the master's name is the path of the URL. */
  readonly sentinels: readonly string[]
}

interface Clients {
  readonly Redis: typeof Redis
  readonly Cluster: typeof Cluster
}

/** A client of one server, of a master that sentinels name, or of a Cluster. */
export function connect(
  clients: Clients,
  { urls, sentinels }: RedisSettings,
  commandMs: number,
): Redis | Cluster {
  const [first = ''] = urls
  if (urls.length > 1) {
    const nodes = urls.map((url) => ({
      host: new URL(url).hostname,
      port: Number(new URL(url).port || 6379),
    }))
    return new clients.Cluster(nodes, clusterOptions(first, commandMs))
  }
  if (sentinels.length === 0) return new clients.Redis(first, redisOptions(commandMs))
  const { pathname, hostname, username, password } = new URL(first)
  const addresses = sentinels.map((address) => {
    const at = address.lastIndexOf(':')
    return at < 0
      ? { host: address, port: 26_379 }
      : { host: address.slice(0, at), port: Number(address.slice(at + 1)) }
  })
  return new clients.Redis({
    ...redisOptions(commandMs),
    sentinels: addresses,
    name: decodeURIComponent(pathname.slice(1)) || hostname,
    failoverDetector: true,
    sentinelRetryStrategy: (times) => Math.min(times * 50, 500),
    ...(isTls(first) ? { tls: {}, enableTLSForSentinelMode: true } : {}),
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
  })
}
