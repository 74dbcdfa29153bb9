import type { ClusterOptions, RedisOptions } from 'ioredis'

/** Longest time for one command, in milliseconds (F06). */
export const COMMAND_MS = 250
const RECONNECT_MAX_MS = 500

const retry = (times: number): number => Math.min(times * 50, RECONNECT_MAX_MS)

/** With the library's own defaults a dead Redis hangs a command for a minute. */
export function redisOptions(commandMs: number) {
  return {
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    maxRetriesPerRequest: 1,
    /** Only tidies up: `Circuit` has answered the caller long before. */
    commandTimeout: commandMs * 4,
    connectTimeout: 1000,
    retryStrategy: retry,
    autoResendUnfulfilledCommands: false,
    /** A master that a failover has demoted. */
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies RedisOptions
}

export function clusterOptions(url: string, commandMs: number) {
  const { retryStrategy: _own, enableOfflineQueue: _queue, ...each } = redisOptions(commandMs)
  const { username, password } = new URL(url)
  return {
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    clusterRetryStrategy: retry,
    slotsRefreshTimeout: 1000,
    slotsRefreshInterval: 2000,
    retryDelayOnFailover: 50,
    retryDelayOnClusterDown: 50,
    retryDelayOnTryAgain: 20,
    maxRedirections: 3,
    redisOptions: {
      ...each,
      ...(isTls(url) ? { tls: {} } : {}),
      ...(username ? { username: decodeURIComponent(username) } : {}),
      ...(password ? { password: decodeURIComponent(password) } : {}),
    },
  } satisfies ClusterOptions
}

export function isTls(url: string): boolean {
  return url.startsWith('rediss:')
}

/** The address without its password. */
export function hostOf(url: string): string {
  const { hostname, port, pathname } = new URL(url)
  return `${hostname}${port ? `:${port}` : ''}${pathname === '/' ? '' : pathname}`
}
