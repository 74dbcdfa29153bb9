import { fstatSync, write, writeSync } from 'node:fs'

/** Bytes that wait for a reader or a disk; what comes when there is no room for it is dropped and counted. */
const ROOM = 1_048_576
const RETRY_MS = 100
/** How long the end of the process waits for a slow reader. */
const LAST_MS = 500

type Written = (error: NodeJS.ErrnoException | null, bytes: number) => void

/**
 * A file, terminal or pipe to which lines go without anybody waiting for it: full, hanging or gone,
 * it costs lines and nothing else (F15).
 */
export class Outlet {
  readonly #fd: 1 | 2
  readonly #write: (chunk: Buffer, written: Written) => void
  #waiting: Buffer[] = []
  #bytes = 0
  #dropped = 0
  #reason = 'full'
  /** Written, or tried again in a moment. */
  #isBusy = false
  #isUnderWay = false
  #isEnding = false

  constructor(fd: 1 | 2) {
    this.#fd = fd
    this.#write = isPipe(fd)
      ? (chunk, written) => writePipe(fd, chunk, written)
      : (chunk, written) => write(fd, chunk, written)
    process.once('exit', () => this.#end())
  }

  write(text: string): void {
    const chunk = Buffer.from(text)
    if (this.#bytes + chunk.length > ROOM) {
      this.#dropped += text.split('\n').length - 1
      return
    }
    this.#add(chunk)
    if (this.#isEnding) this.#end()
    else if (!this.#isBusy) this.#next()
  }

  #add(chunk: Buffer): void {
    this.#waiting.push(chunk)
    this.#bytes += chunk.length
  }

  #next(): void {
    if (this.#waiting.length === 0 && this.#dropped > 0) this.#tellDropped()
    this.#isBusy = this.#waiting.length > 0
    if (!this.#isBusy) return
    const chunk = Buffer.concat(this.#waiting)
    this.#waiting = [chunk]
    this.#isUnderWay = true
    this.#write(chunk, (error, bytes) => {
      this.#isUnderWay = false
      this.#took(chunk, bytes)
      if (!error) return this.#next()
      this.#reason = error.code ?? error.message
      setTimeout(() => this.#next(), RETRY_MS).unref()
    })
  }

  /** What did not fit stays the first to go. */
  #took(chunk: Buffer, bytes: number): void {
    this.#bytes -= bytes
    if (bytes === chunk.length) this.#waiting.shift()
    else this.#waiting[0] = chunk.subarray(bytes)
  }

  #tellDropped(): void {
    const time = new Date().toISOString()
    const facts = {
      event: 'log.dropped',
      lines: this.#dropped,
      reason: this.#reason,
      msg: 'lines of the log were dropped',
    }
    this.#dropped = 0
    this.#add(Buffer.from(`${JSON.stringify({ level: 40, time, ...facts })}\n`))
  }

  /** A write under way comes to its end by itself. */
  #end(): void {
    this.#isEnding = true
    if (this.#isUnderWay) this.#waiting.shift()
    this.#isUnderWay = false
    const end = performance.now() + LAST_MS
    while (this.#waiting[0] && performance.now() < end) {
      const [chunk] = this.#waiting
      try {
        this.#took(chunk, writeSync(this.#fd, chunk))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
      }
    }
  }
}

/**
 * Node makes standard streams that are pipes non-blocking when they are first asked for: without it
 * a write would wait for the reader.
 */
function isPipe(fd: 1 | 2): boolean {
  const stats = fstatSync(fd)
  if (!stats.isFIFO() && !stats.isSocket()) return false
  void (fd === 1 ? process.stdout : process.stderr).writable
  return true
}

/** At once, so that lines keep their order up to the last. */
function writePipe(fd: number, chunk: Buffer, written: Written): void {
  let bytes = 0
  try {
    bytes = writeSync(fd, chunk)
  } catch (error) {
    written(error as NodeJS.ErrnoException, 0)
    return
  }
  written(null, bytes)
}
