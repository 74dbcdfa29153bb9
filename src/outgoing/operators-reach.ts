import { BlockList } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isPrivateAddress, Networks } from '../private-networks.ts'
import { isPublicAddress } from './public-address.ts'

const LOOPBACK = new Networks(['127.0.0.0/8', '::1/128'])

export interface OperatorsReach {
  /** Private networks that the operator lists. */
  readonly networks: readonly string[]
  /** For tests: loopback, too. */
  readonly loopback: boolean
  readonly own: OwnServers
}

/** What nobody may have this server speak to, whatever is listed. */
export interface OwnServers {
  readonly issuer: string
  /** Where it listens, on every address of this machine. */
  readonly port: number
  /** Of PostgreSQL and Redis, wherever they run. */
  readonly storePorts: ReadonlySet<number>
}

/**
 * What servers named by the operator may be: public by https, and in the listed networks. Link-local
 * addresses are in no list, and neither is an address in another spelling.
 */
export function operatorsReach({ networks, loopback, own }: OperatorsReach) {
  const listed = new Networks(networks)
  const isInside = (address: string): boolean =>
    (listed.has(address) && isPrivateAddress(address)) || (loopback && LOOPBACK.has(address))
  return {
    isInside,
    isAllowed(address: string, url: URL): boolean {
      if (url.origin === own.issuer) return false
      if (!isInside(address)) return url.protocol === 'https:' && isPublicAddress(address)
      const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
      if (own.storePorts.has(port)) return false
      return port !== own.port || !isThisMachine(address)
    },
  }
}

function isThisMachine(address: string): boolean {
  if (LOOPBACK.has(address)) return true
  const all = new BlockList()
  for (const each of Object.values(networkInterfaces()).flatMap((list) => list ?? []))
    all.addAddress(each.address.replace(/%.*$/, ''), each.family === 'IPv6' ? 'ipv6' : 'ipv4')
  return all.check(address, address.includes(':') ? 'ipv6' : 'ipv4')
}
