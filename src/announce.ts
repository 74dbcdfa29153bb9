import type { Config } from './config/config.ts'
import { isLoopback } from './config/env.ts'
import { productVersion } from './config/version.ts'
import { say } from './logger.ts'
import { ENDPOINTS } from './oidc/endpoints.ts'
import type { Seeded } from './seed.ts'

/** The first thing an operator sees, and all of it. */
export function announce(config: Config, seeded: Seeded | undefined): void {
  const lines: [string, string][] = [
    ['URL', config.issuer],
    ['Database', config.database.embedded ? `embedded PostgreSQL in ${config.dataDir}` : databaseName(config.database.url)],
  ]
  if (seeded)
    lines.push([
      'Demo account',
      seeded.password ? `${seeded.email} / ${seeded.password}  (shown once)` : `${seeded.email}  (password as shown on the first start)`,
    ])
  if (!config.production) {
    lines.push(['Sample app', `${config.issuer}/demo`])
    if (!config.mail.smtpUrl) lines.push(['Dev inbox', `${config.issuer}/dev/inbox${readers(config)}`])
  }
  lines.push(['Discovery', config.issuer + ENDPOINTS.openidConfiguration.path])
  say(`Gatehouse ${productVersion()}\n${lines.map(([name, value]) => `  ${name.padEnd(13)} ${value}\n`).join('')}`)
}

/** Who sees the inbox and the sample app, where it is not plain. */
function readers({ devInbox, host }: Config): string {
  if (devInbox) return '  (DEV_INBOX: for everybody who reaches this server)'
  return isLoopback(host.includes(':') ? `[${host}]` : host) ? '' : '  (from this machine only; DEV_INBOX=1 opens it)'
}

function databaseName(url: string): string {
  const { hostname, port, pathname } = new URL(url)
  return `PostgreSQL at ${hostname}${port ? `:${port}` : ''}${pathname}`
}
