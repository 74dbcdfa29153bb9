import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/**
 * The caller's address in one spelling. Only entries that our own proxies appended to X-Forwarded-For count: the
 * `hops`-th from the right; with none, or when it does not parse, the socket's (WB-09, RL-04).
 */
export function clientAddress(req: IncomingMessage, hops: number): string {
  const socket = canonicalAddress(req.socket.remoteAddress ?? '') ?? '0.0.0.0'
  if (hops === 0) return socket
  const header = req.headers['x-forwarded-for']
  const entries = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',')
  return canonicalAddress(entries.at(-hops)?.trim() ?? '') ?? socket
}

/** IPv4-mapped addresses become IPv4, IPv6 is written out in full in lower case; undefined if it is no address. */
export function canonicalAddress(value: string): string | undefined {
  if (isIP(value) === 4) return value
  const bare = value.replace(/^\[(.*)\]$/, '$1').split('%')[0] ?? ''
  if (isIP(bare) === 4) return bare
  if (isIP(bare) !== 6) return undefined
  const groups = expand(bare)
  const isMapped = groups.slice(0, 5).every((group) => group === '0000') && groups[5] === 'ffff'
  if (!isMapped) return groups.join(':')
  return groups
    .slice(6)
    .map((group) => `${Number.parseInt(group.slice(0, 2), 16)}.${Number.parseInt(group.slice(2), 16)}`)
    .join('.')
}

/** What a limit counts by: an IPv4 address, or the /64 that one IPv6 customer holds. */
export function networkOf(address: string): string {
  return address.includes(':') ? `${address.split(':').slice(0, 4).join(':')}::/64` : address
}

function expand(address: string): string[] {
  const dotted = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [head = '', tail] = dotted.split('::')
  const left = head ? head.split(':') : []
  const right = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...Array<string>(zeros).fill('0'), ...right].map((group) => group.padStart(4, '0').toLowerCase())
}
