import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * The caller's address in one spelling. Only entries that our own proxies appended to
 * X-Forwarded-For count: the `hops`-th from the right; with none, or when it does not parse, the
 * socket's (WB-09, RL-04).
 */
export function clientAddress(req: IncomingMessage, hops: number): string {
  const socket = canonicalAddress(req.socket.remoteAddress ?? '') ?? '0.0.0.0'
  if (hops === 0) return socket
  const header = req.headers['x-forwarded-for']
  const entries = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',')
  return canonicalAddress(entries.at(-hops)?.trim() ?? '') ?? socket
}

/** An address in brackets or an IPv4 address, with the port that some proxies add (Azure, IIS). */
const WITH_PORT = /^(?:\[([^[\]]*)\]|([\d.]+))(?::\d{1,5})?$/

/**
 * IPv4-mapped addresses become IPv4, IPv6 is written out in full in lower case, ports and zones go;
 * undefined if it is no address.
 */
export function canonicalAddress(value: string): string | undefined {
  const [, bracketed, dotted] = WITH_PORT.exec(value) ?? []
  const bare = (bracketed ?? dotted ?? value).split('%')[0] ?? ''
  // The parser of addresses also takes octal and hexadecimal ones, which nobody means.
  const family = isIP(bare)
  // Of IPv4 there is one spelling.
  if (family !== 6) return family === 4 ? bare : undefined
  const address = ipaddr.process(bare)
  if (address instanceof ipaddr.IPv4) return address.toString()
  return address.parts.map((group) => group.toString(16).padStart(4, '0')).join(':')
}
