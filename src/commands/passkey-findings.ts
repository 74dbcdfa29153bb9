import { passkeysOfOtherHosts } from '../accounts/factors/passkeys/other-hosts.ts'
import type { Finding } from './findings.ts'
import type { ClientCommandDeps } from './with-clients.ts'

const DOCS = 'docs/operations.md#passkeys'

/** What is wrong with the issuer's host, as passkeys are bound to it. */
export async function passkeyFindings({
  config: { issuer },
  database,
}: Pick<ClientCommandDeps, 'config' | 'database'>): Promise<Finding[]> {
  const { hostname } = new URL(issuer)
  const others = await passkeysOfOtherHosts(database.em.fork(), hostname)
  return others.map(({ host, passkeys }) => otherHost(host, passkeys, hostname))
}

function otherHost(host: string, passkeys: number, hostname: string): Finding {
  return {
    id: 'passkeys_of_another_host',
    level: 'warning',
    what: `passkeys that were made for ${host}: ${passkeys}`,
    why: `the host of ISSUER is ${hostname}, so no browser offers them`,
    mend: `go back to ${host}, or have people recover their accounts and make new ones`,
    docs: DOCS,
  }
}
