import { type DestinationStream, type Logger, pino } from 'pino'
import { gathering } from './gathering.ts'
import { Outlet } from './outlet.ts'

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

/** What PostgreSQL or the system calls a fault. A person's codes are spelt otherwise. */
const FAULT_CODE = /^(?:[0-9A-Z]{5}|E[A-Z0-9_]+)$/

/** `code` is redacted wherever it is; that of a fault is told as `fault`. */
function withFault(error: Error): object {
  const { code } = error as { code?: unknown }
  const isFault = error instanceof Error && typeof code === 'string' && FAULT_CODE.test(code)
  return { ...pino.stdSerializers.err(error), ...(isFault ? { fault: code } : {}) }
}

let now = 0
let nowText = ''

/** Many lines share a millisecond; its text is made once. */
function timestamp(): string {
  const time = Date.now()
  if (time !== now) nowText = `,"time":"${new Date(time).toISOString()}"`
  now = time
  return nowText
}

let stdout: Outlet | undefined
let lines: DestinationStream | undefined

/** JSON lines in UTC on stdout (LG-01). `silent` is for tests and the CLI. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp,
    redact: {
      paths: REDACTED.flatMap((key) => [`["${key}"]`, `*["${key}"]`, `*.*["${key}"]`]),
      censor: '[redacted]',
    },
    serializers: { err: withFault },
  }
  return pino(options, destination ?? standardOutput())
}

/** One for all loggers of the process: each listens for its end. */
function standardOutput(): DestinationStream {
  lines ??= gathering(outlet())
  return lines
}

/** What is said on stdout and is no line of the log; it waits for nobody either. */
export function say(text: string): void {
  outlet().write(text)
}

function outlet(): Outlet {
  stdout ??= new Outlet(1)
  return stdout
}
