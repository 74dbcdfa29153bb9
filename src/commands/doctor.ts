import { Command } from 'commander'
import { registrationOf } from '../clients/metadata.ts'
import { adviceOn } from '../clients/needed-switch.ts'
import type { KeptRefusal } from '../clients/refused-requests.ts'
import type { Client } from '../entities/index.ts'
import { type Answer, answering } from './answer.ts'
import { type Open, withClients } from './with-clients.ts'

/** What is not as it should be. */
interface Finding {
  readonly id: string
  readonly level: 'warning' | 'error'
  readonly what: string
  readonly why: string
  readonly mend: string
  readonly docs: string
  readonly at?: Date
}

const DOCS = 'docs/operations.md#clients'
const WHY = 'its requests are refused, or answered with less than it asks for'
const ANYBODYS =
  'Anybody can send a request in the name of an app: look into its own settings before you loosen anything'
const EXIT_CODES = { ok: undefined, warnings: 1, errors: 2 } as const

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
          return told(client, findingsOf(client, refusals))
        }),
      ),
    )
  return command
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

function told({ id, name }: Client, findings: readonly Finding[]): Answer {
  const isError = findings.some(({ level }) => level === 'error')
  const status = isError ? 'errors' : findings.length > 0 ? 'warnings' : 'ok'
  const exitCode = EXIT_CODES[status]
  const lines = findings.flatMap(({ level, what, why, mend, docs, at }) => [
    `${level}: ${what}${at ? ` (last at ${at.toISOString()})` : ''}`,
    `  why it matters: ${why}`,
    `  how to mend it: ${mend.replaceAll('\n', '\n  ')}`,
    `  more: ${docs}`,
  ])
  return {
    lines:
      findings.length > 0 ? lines : [`${name}: nothing was refused since it was last changed.`],
    json: { client: id, status, findings },
    ...(exitCode === undefined ? {} : { exitCode }),
  }
}
