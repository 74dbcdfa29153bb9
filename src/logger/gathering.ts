import { type DestinationStream, symbols } from 'pino'

/** How long a line may wait for others while lines come in faster than this. */
const GATHER_MS = 50
const GATHER_LENGTH = 16_384
/** pino's number for `warn`. */
const URGENT = 40

/**
 * A write to the kernel per line is a tenth of the cost of a token. So a line goes out at once
 * after a pause, and when it is a warning or worse; those that follow it closely go out together.
 * What waits is written when the process ends, by a fault of ours too.
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
