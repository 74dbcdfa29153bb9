import type { Clients } from './clients/clients.ts'
import type { Config } from './config/config.ts'
import { isReadable, nameOfDatabase, parseDatabaseUrl } from './config/database-url.ts'
import { isLoopback } from './config/development.ts'
import { productVersion } from './config/version.ts'
import type { Logger } from './logger/logger.ts'
import { say } from './logger/logger.ts'
import { ENDPOINTS } from './oidc/endpoints.ts'
import type { Seeded } from './seed.ts'

/** The first thing an operator sees, and all of it. */
export function announce(config: Config, seeded: Seeded | undefined): void {
  const lines: [string, string][] = [
    ['URL', config.issuer],
    ['Account', `${config.issuer}/account`],
    [
      'Database',
      config.database.embedded
        ? `embedded PostgreSQL in ${config.dataDir}`
        : databaseName(config.database.url),
    ],
  ]
  if (seeded)
    lines.push([
      'Demo account',
      seeded.password
        ? `${seeded.email} / ${seeded.password}  (shown once)`
        : `${seeded.email}  (password as shown on the first start)`,
    ])
  if (!config.production) {
    lines.push(['Sample app', `${config.issuer}/demo`])
    if (!config.mail.smtpUrl)
      lines.push(['Dev inbox', `${config.issuer}/dev/inbox${readers(config)}`])
  }
  lines.push(
    ['Discovery', config.issuer + ENDPOINTS.openidConfiguration.path],
    ['Next', nextCommand(config)],
  )
  say(
    `Gatehouse ${productVersion()}\n${lines.map(([name, value]) => `  ${name.padEnd(13)} ${value}\n`).join('')}`,
  )
}

/** What one does with a server that runs: register the first app. */
function nextCommand({ production, port }: Config): string {
  if (production) return 'gatehouse client create --help'
  return `${port === 3000 ? '' : `PORT=${port} `}npm run --silent gatehouse -- client create --name "My app" --redirect http://localhost:8080/callback`
}

/** Who sees the inbox and the sample app, where it is not plain. */
function readers({ devInbox, host }: Config): string {
  if (devInbox) return '  (DEV_INBOX: for everybody who reaches this server)'
  return host !== undefined && isLoopback(host.includes(':') ? `[${host}]` : host)
    ? ''
    : '  (from this machine only; DEV_INBOX=1 opens it)'
}

function databaseName(url: string): string {
  const target = parseDatabaseUrl(url)
  const warning = isReadable(target)
    ? '  (WARNING: in clear text over the network; append ?sslmode=verify-full)'
    : ''
  return `PostgreSQL at ${nameOfDatabase(target)}${warning}`
}

/** Until the operator has settled each, at every start. */
export async function warnOfKeptClients({
  clients,
  logger,
}: {
  readonly clients: Clients
  readonly logger: Logger
}): Promise<void> {
  for (const { id, name } of await clients.listKept())
    logger.warn(
      { event: 'client.account_api_kept', clientId: id, name },
      `may go on managing accounts, as before: settle it with "gatehouse client account-api ${id} on" or "off"`,
    )
}
