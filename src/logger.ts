import { type DestinationStream, type Logger, pino, symbols } from 'pino'

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

let now = 0
let nowText = ''

/** Many lines share a millisecond; its text is made once. */
function timestamp(): string {
  const time = Date.now()
  if (time !== now) nowText = `,"time":"${new Date(time).toISOString()}"`
  now = time
  return nowText
}

/** How long a line may wait for others while lines come in faster than this. */
const GATHER_MS = 50
const GATHER_LENGTH = 16_384
/** pino's number for `warn`. */
const URGENT = 40

let stdout: DestinationStream | undefined

/** JSON lines in UTC on stdout (LG-01). `silent` is for tests and the CLI. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp,
    redact: { paths: REDACTED.flatMap((key) => [`["${key}"]`, `*["${key}"]`, `*.*["${key}"]`]), censor: '[redacted]' },
  }
  return pino(options, destination ?? standardOutput())
}

/** One for all loggers of the process: each listens for its end. */
function standardOutput(): DestinationStream {
  stdout ??= gathering(pino.destination({ dest: 1, sync: true }))
  return stdout
}

/**
 * A write to the kernel per line is a tenth of the cost of a token. So a line goes out at once after a pause, and when it is a warning or worse;
 * those that follow it closely go out together. What waits is written when the process ends, by a fault of ours too.
 */
export function gathering(file: DestinationStream): DestinationStream {
  let waiting = ''
  let isGathering = false
  const flush = () => {
    if (waiting !== '') file.write(waiting)
    waiting = ''
  }
  const gather = () => {
    isGathering = true
    setTimeout(() => {
      isGathering = false
      if (waiting === '') return
      flush()
      gather()
    }, GATHER_MS).unref()
  }
  process.once('exit', flush)
  const destination = {
    [symbols.needsMetadataGsym]: true,
    lastLevel: 0,
    write(line: string) {
      waiting += line
      if (isGathering && destination.lastLevel < URGENT && waiting.length < GATHER_LENGTH) return
      flush()
      if (!isGathering) gather()
    },
  }
  return destination
}
