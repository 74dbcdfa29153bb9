import { Redis } from 'ioredis'
import pg from 'pg'
import { GIVE_BACK } from '../../src/http/middleware/limit-units.ts'
import { REPORT } from '../../src/http/middleware/shared-counts.ts'
import type { Browser, Page } from './browser.ts'
import { send } from './http.ts'

export interface Trace<T> {
  readonly result: T
  /** Round trips one after the other: commands that are under way together count once. */
  readonly depth: number
  /**
   * Every command in order: the name of a prepared statement, else the start of its text; a Redis
   * command in capitals.
   */
  readonly commands: readonly string[]
  /** What is not prepared: the ORM's statements, and those written by hand without a name. */
  readonly unprepared: readonly string[]
}

interface Recording {
  readonly commands: { readonly label: string; readonly isPrepared: boolean }[]
  depth: number
  /** Some command of the last wave has come back: whatever is sent now has waited for it. */
  isWaveOver: boolean
}

let recording: Recording | undefined

/**
 * Runs one request and counts what this process sends to PostgreSQL and Redis meanwhile. Stop
 * background work first.
 */
export async function trace<T>(request: () => Promise<T>): Promise<Trace<T>> {
  const own: Recording = { commands: [], depth: 0, isWaveOver: true }
  recording = own
  try {
    const result = await request()
    return {
      result,
      depth: own.depth,
      commands: own.commands.map(({ label }) => label),
      unprepared: own.commands.filter(({ isPrepared }) => !isPrepared).map(({ label }) => label),
    }
  } finally {
    recording = undefined
  }
}

/** A sign-in without consent or second factor, request by request. */
export async function traceSignIn(
  browser: Browser,
  url: URL | string,
  credentials: { username: string; password: string },
) {
  const origin = new URL(browser.origin)
  const begun = await trace(() =>
    send(url, { headers: { cookie: browser.jar.header(origin) ?? '' } }),
  )
  browser.jar.store(origin, begun.result.headers.getSetCookie())
  const page = await trace<Page>(() => browser.visit(begun.result.headers.get('location') ?? ''))
  const posted = await trace<Page>(() => browser.submit('/login', credentials, { follow: false }))
  const resumed = await trace<Page>(() =>
    browser.visit(posted.result.response.headers.get('location') ?? ''),
  )
  return { begun, page, posted, resumed }
}

function begin(label: string, isPrepared: boolean): () => void {
  const own = recording
  if (!own || label === HEARTBEAT) return () => undefined
  if (own.isWaveOver) own.depth++
  own.isWaveOver = false
  const wave = own.depth
  own.commands.push({ label, isPrepared })
  return () => {
    if (own.depth === wave) own.isWaveOver = true
  }
}

const HEARTBEAT = 'select 1'

type PgQuery = (this: unknown, ...args: unknown[]) => unknown

const clientPrototype = pg.Client.prototype as unknown as { query: PgQuery }
const sendQuery = clientPrototype.query
clientPrototype.query = function query(...args) {
  const [statement] = args as [string | { name?: string; text?: string }]
  const { name, text = '' } = typeof statement === 'string' ? { text: statement } : statement
  const end = begin(name ?? text.trim().replace(/\s+/g, ' ').slice(0, 80), name !== undefined)
  const callback = args.at(-1)
  if (typeof callback === 'function')
    return sendQuery.call(this, ...args.slice(0, -1), (...outcome: unknown[]) => {
      end()
      Reflect.apply(callback, undefined, outcome)
    })
  const answer = sendQuery.call(this, ...args)
  if (answer instanceof Promise) answer.then(end, end)
  return answer
}

const AFTERWARDS = new Set([REPORT, GIVE_BACK].flatMap(({ sha, lua }) => [sha, lua]))
const redisPrototype = Redis.prototype as unknown as {
  sendCommand(
    command: { name: string; args: readonly unknown[]; promise: Promise<unknown> },
    ...rest: unknown[]
  ): unknown
}
const sendCommand = redisPrototype.sendCommand
redisPrototype.sendCommand = function send(command, ...rest) {
  // No request waits for what the limits report and give back.
  if (AFTERWARDS.has(String(command.args[0]))) return sendCommand.call(this, command, ...rest)
  const end = begin(command.name.toUpperCase(), true)
  command.promise.then(end, end)
  return sendCommand.call(this, command, ...rest)
}
