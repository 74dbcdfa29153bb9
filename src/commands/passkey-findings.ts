import { passkeysOfOtherHosts } from '../accounts/factors/passkeys/other-hosts.ts'
import { hasNumericHost } from '../config/sign-in-rules.ts'
import type { Finding } from './findings.ts'
import type { ClientCommandDeps } from './with-clients.ts'

const DOCS = 'docs/operations.md#passkeys'

/** What is wrong with the issuer's host, as passkeys are bound to it. */
export async function passkeyFindings({
  config: { issuer },
  database,
  signInPolicy,
}: Pick<ClientCommandDeps, 'config' | 'database' | 'signInPolicy'>): Promise<Finding[]> {
  const { hostname } = new URL(issuer)
  const others = await passkeysOfOtherHosts(database.em.fork(), hostname)
  const findings = others.map(({ host, passkeys }) => otherHost(host, passkeys, hostname))
  const isOffered = signInPolicy.offers('passkey') || signInPolicy.offers('passkey', {}, 'second')
  return isOffered && hasNumericHost(issuer) ? [NUMERIC, ...findings] : findings
}

const NUMERIC: Finding = {
  id: 'issuer_is_address',
  level: 'warning',
  what: 'passkeys are offered, and ISSUER has an address instead of a host name',
  why: 'browsers make no passkey for an address',
  mend: 'give Gatehouse a host name, or take passkey out of SIGN_IN_METHODS and SECOND_FACTORS',
  docs: DOCS,
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
