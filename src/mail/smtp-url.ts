import { isLoopback } from '../config/development.ts'
import { StartupError } from '../errors.ts'

export interface SmtpServer {
  readonly host: string
  readonly port: number
  /** TLS from the first byte (`smtps:`). */
  readonly secure: boolean
  /** STARTTLS or nothing. */
  readonly requireTLS: boolean
  readonly isLocal: boolean
  readonly auth: { readonly user: string; readonly pass: string } | undefined
}

/**
 * Reads `smtp[s]://user:password@host:port[?requireTLS=true|false]`. STARTTLS is demanded of
 * `smtp:` servers unless they are on loopback or `requireTLS=false` says otherwise. Other
 * parameters are refused: nodemailer would obey all of them, `debug` included. Throws
 * `StartupError`, never quoting the URL.
 */
export function parseSmtpUrl(input: string): SmtpServer {
  const url = URL.parse(input)
  if (!url?.hostname || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:'))
    throw new StartupError('SMTP_URL: must be smtp[s]://host[:port]')
  for (const [name, value] of url.searchParams) {
    if (name !== 'requireTLS' || !/^(true|false)$/.test(value))
      throw new StartupError('SMTP_URL: the only parameter is requireTLS=true|false')
  }
  const secure = url.protocol === 'smtps:'
  const hostname = url.hostname.toLowerCase()
  const isLocal = isLoopback(hostname)
  const demanded = url.searchParams.get('requireTLS')
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: url.port ? Number(url.port) : secure ? 465 : 587,
    secure,
    requireTLS: !secure && (demanded ? demanded === 'true' : !isLocal),
    isLocal,
    auth: url.username ? { user: decoded(url.username), pass: decoded(url.password) } : undefined,
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new StartupError('SMTP_URL: user name and password must be percent-encoded')
  }
}
