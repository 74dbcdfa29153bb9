import { Command } from 'commander'
import { strandedBy } from '../accounts/factors/ways.ts'
import { registrationOf } from '../clients/metadata.ts'
import { adviceOn } from '../clients/needed-switch.ts'
import type { KeptRefusal } from '../clients/refused-requests.ts'
import type { Client } from '../entities/index.ts'
import { answering } from './answer.ts'
import { type Finding, told } from './findings.ts'
import { passkeyFindings } from './passkey-findings.ts'
import { type Open, withClients } from './with-clients.ts'

const DOCS = 'docs/operations.md#clients'
const WHY = 'its requests are refused, or answered with less than it asks for'
const ANYBODYS =
  'Anybody can send a request in the name of an app: look into its own settings before you loosen anything'

/** `gatehouse doctor …`: exit code 0 where all is well, 1 for warnings, 2 for errors. */
export function doctorCommand(open: Open): Command {
  const command = new Command('doctor').description('what is wrong, and how to mend it')
  command
    .command('client <id>')
    .description('which switch an app needs whose requests were refused since it was last changed')
    .action(
      answering((id: string) =>
        withClients(open, async ({ clients, refusedRequests }) => {
          const { client } = await clients.get(id)
          const refusals = await refusedRequests.listOf(id, client.updatedAt)
          return told(findingsOf(client, refusals), {
            fine: `${client.name}: nothing was refused since it was last changed.`,
            about: { client: id },
          })
        }),
      ),
    )
  command
    .command('accounts')
    .description(
      'accounts that have no way in but what SIGN_IN_METHODS leaves out, and passkeys of other hosts',
    )
    .action(
      answering(() =>
        withClients(open, async (deps) => {
          const { database, signInPolicy } = deps
          const stranded = await strandedBy(database.em.fork(), signInPolicy)
          const findings = [...stranded].map(([names, accounts]) =>
            strandedFinding(names, accounts),
          )
          findings.push(...(await passkeyFindings(deps)))
          return told(findings, { fine: 'Every account has a way in that is offered.' })
        }),
      ),
    )
  return command
}

function strandedFinding(names: string, accounts: number): Finding {
  return {
    id: 'way_in_off',
    level: 'warning',
    what: `accounts whose only way in is ${names}: ${accounts}`,
    why: 'they cannot sign in: SIGN_IN_METHODS leaves it out',
    mend: 'put it back into SIGN_IN_METHODS until they have another',
    docs: 'docs/operations.md#settings',
  }
}

function findingsOf(client: Client, refusals: readonly KeptRefusal[]): readonly Finding[] {
  const { id, disabledAt } = client
  const shutOut: Finding = {
    id: 'disabled',
    level: 'error',
    what: 'the client is disabled',
    why: 'nobody signs in to it',
    mend: `client enable ${id}`,
    docs: DOCS,
  }
  return [
    ...(disabledAt ? [shutOut] : []),
    ...refusals.map((refusal) => findingOf(client, refusal)),
  ]
}

function findingOf(client: Client, { refused, lastAt }: KeptRefusal): Finding {
  const { option, says } = adviceOn(refused, registrationOf(client))
  const mend = option === undefined ? 'in the app: no switch lets that through' : ANYBODYS
  return {
    id: refused.lack,
    level: 'warning',
    what: says,
    why: WHY,
    mend: option === undefined ? mend : `client update ${client.id} ${option}\n${mend}`,
    docs: DOCS,
    at: lastAt,
  }
}
