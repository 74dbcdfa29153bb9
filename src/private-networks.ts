import { BlockList, isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** RFC 1918, shared addresses (RFC 6598, which VPNs use as well) and unique local ones (RFC 4193). */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7']
/** Inside of them: where clouds tell a machine its credentials. */
const METADATA = ['100.100.100.200/32', 'fd00:ec2::/32', 'fd20:ce::/64']
/** Names that no public DNS answers: multicast DNS, home networks (RFC 6762, RFC 8375). */
const PRIVATE_NAME = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+(local|lan|home\.arpa)$/

/** A set of addresses. One in another spelling, such as IPv4 mapped into IPv6, is in none. */
export class Networks {
  readonly #v4 = new BlockList()
  readonly #v6 = new BlockList()

  /** Of valid CIDRs. */
  constructor(cidrs: readonly string[]) {
    for (const cidr of cidrs) {
      const [address = '', prefix] = cidr.split('/')
      const isV4 = isIP(address) === 4
      const list = isV4 ? this.#v4 : this.#v6
      list.addSubnet(address, Number(prefix), isV4 ? 'ipv4' : 'ipv6')
    }
  }

  has(address: string): boolean {
    const family = isIP(address)
    if (family === 4) return this.#v4.check(address, 'ipv4')
    return family === 6 && !address.includes('%') && this.#v6.check(address, 'ipv6')
  }
}

const privateNetworks = new Networks(PRIVATE)
const metadata = new Networks(METADATA)

/** Whether the address is of somebody's own network. Loopback and link-local ones are not. */
export function isPrivateAddress(address: string): boolean {
  return privateNetworks.has(address) && !metadata.has(address)
}

/** The host of a URL, as `URL` gives it. */
export function isPrivateHost(hostname: string): boolean {
  return PRIVATE_NAME.test(hostname) || isPrivateAddress(hostname.replace(/^\[|\]$/g, ''))
}

/** Throws `Error` with what is wrong with it, unless all of the network is private. */
export function parsePrivateNetwork(text: string): string {
  const [address = '', prefix = '', ...more] = text.split('/')
  const isCidr = isIP(address) !== 0 && /^\d{1,3}$/.test(prefix) && more.length === 0
  if (!isCidr || !ipaddr.isValidCIDR(text)) throw new Error('must be networks like 10.1.0.0/16')
  const [ip, bits] = ipaddr.parseCIDR(text)
  const isInside = PRIVATE.map((range) => ipaddr.parseCIDR(range)).some(
    ([range, least]) => ip.kind() === range.kind() && bits >= least && ip.match(range, least),
  )
  if (!isInside) throw new Error(`must lie inside ${PRIVATE.join(', ')}`)
  return text
}
