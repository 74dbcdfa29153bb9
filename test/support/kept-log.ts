import { Writable } from 'node:stream'
import { createLogger, type Logger } from '../../src/logger/logger.ts'

type Line = Readonly<Record<string, unknown>>

/** A logger of the lowest level that keeps what it writes. */
export function keptLog(): {
  logger: Logger
  text: () => string
  lines: (event: string) => Line[]
} {
  let written = ''
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written += chunk.toString('utf8')
      done()
    },
  })
  return {
    logger: createLogger('trace', destination),
    text: () => written,
    lines: (event) =>
      written
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Line)
        .filter((line) => line['event'] === event),
  }
}
