import { type DestinationStream, type Logger, pino } from 'pino'

export type { Logger }

/** Keys whose values never reach a log line, at any depth that we log. */
const REDACTED = [
  'authorization',
  'cookie',
  'set-cookie',
  'password',
  'code',
  'token',
  'secret',
  'client_secret',
  'refresh_token',
  'access_token',
  'id_token',
]

/** JSON lines in UTC on stdout (LG-01). `silent` is for tests and the CLI. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    redact: { paths: REDACTED.flatMap((key) => [`["${key}"]`, `*["${key}"]`, `*.*["${key}"]`]), censor: '[redacted]' },
  }
  return destination ? pino(options, destination) : pino(options)
}
