import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { bareServer } from './server-bare.ts'
import { betterAuthServer } from './server-better-auth.ts'
import { gatehouseServer } from './server-gatehouse.ts'
import { koaServer } from './server-koa.ts'
import type { Command, Facts, Minted, Reply, TargetSettings } from './target.ts'

/** What a target process serves. */
export interface Served extends AsyncDisposable {
  readonly handle: (req: IncomingMessage, res: ServerResponse) => unknown
  readonly facts: Omit<Facts, 'port'>
  readonly hashPid?: () => number | undefined
  mint(what: Minted): Promise<string>
}

/** Few: what is not measured must not run into a deadline of the storage. */
const MINTED_AT_ONCE = 8

const settings = JSON.parse(process.argv[2] ?? '{}') as TargetSettings
const http = createServer()
http.keepAliveTimeout = 60_000
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
const { port } = http.address() as AddressInfo
const issuer = `http://localhost:${port}`
const served = await serve()
http.on('request', (req, res) => void served.handle(req, res))
process.send?.({ port, ...served.facts } satisfies Facts)
process.on('message', (command: Command) => void reply(command))
process.on('disconnect', () => void stop())

function serve(): Promise<Served> {
  const { kind, databaseUrl, redisUrl } = settings
  if (kind === 'koa') return koaServer(settings)
  if (kind === 'bare') return bareServer(issuer)
  if (kind === 'naive') return bareServer(issuer, redisUrl)
  if (kind === 'better-auth') return betterAuthServer(issuer, databaseUrl)
  return gatehouseServer(issuer, port, settings)
}

async function reply(command: Command): Promise<void> {
  try {
    send({
      id: command.id,
      value:
        command.ask === 'mint' ? await mint(command.what, command.count) : usage(command.collect),
    })
  } catch (error) {
    send({ id: command.id, error: String(error) })
  }
}

async function mint(what: Minted, count: number): Promise<string[]> {
  const made: string[] = []
  while (made.length < count)
    made.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(MINTED_AT_ONCE, count - made.length) }, () =>
          served.mint(what),
        ),
      )),
    )
  return made
}

function usage(collect: boolean): unknown {
  if (collect) (globalThis as { gc?: () => void }).gc?.()
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  return {
    cpu: user + system,
    rssMb: rss / 1e6,
    heapMb: heapUsed / 1e6,
    hashPid: served.hashPid?.(),
  }
}

function send(reply: Reply): void {
  if (process.connected) process.send?.(reply)
}

async function stop(): Promise<void> {
  http.closeAllConnections()
  await served[Symbol.asyncDispose]()
  process.exit(0)
}
