import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDatabase } from './database.ts'
import type { TestRedis } from './redis.ts'
import { type ServerOptions, startServer, type TestServer } from './server.ts'
import { startStorage } from './storages.ts'

export interface Balancer extends AsyncDisposable {
  readonly origin: string
  readonly targets: { readonly host: string; readonly port: number }[]
  /** Requests that were answered with a fault of the server, or not at all. */
  readonly failures: readonly string[]
}

/** An HTTP balancer on loopback: each request goes to the next target, headers and Host as they came. */
export async function startBalancer(): Promise<Balancer> {
  const targets: { host: string; port: number }[] = []
  const failures: string[] = []
  let turn = 0
  const server = createServer((incoming, outgoing) => {
    const target = targets[turn++ % targets.length]
    if (!target) return void outgoing.writeHead(503).end()
    const { method, url: path, rawHeaders } = incoming
    const failed = (how: string | number) =>
      failures.push(`${method ?? ''} ${path ?? ''} ${how} by ${target.port}`)
    const onward = httpRequest(
      { ...target, method, path, headers: rawHeaders, setHost: false, agent: false },
      (answer) => {
        const { statusCode = 502 } = answer
        if (statusCode >= 500) failed(statusCode)
        outgoing.writeHead(statusCode, answer.rawHeaders)
        answer.pipe(outgoing)
      },
    )
    onward.on('error', ({ message }) => {
      failed(message)
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(502).end()
    })
    incoming.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://localhost:${port}`,
    targets,
    failures,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export interface Cluster extends AsyncDisposable {
  /** The issuer that all instances share. */
  readonly origin: string
  readonly instances: readonly TestServer[]
  readonly redis: TestRedis | undefined
  stop(): Promise<void>
}

/** Several instances on one storage behind one issuer, requests in turn. */
export async function startCluster(
  size = 2,
  { storage, ...options }: Omit<ServerOptions, 'issuer' | 'database'> = {},
): Promise<Cluster> {
  await using undo = new AsyncDisposableStack()
  const database = await createDatabase()
  undo.defer(() => database.drop())
  const { redis, config: stored } = undo.use(await startStorage(storage))
  const config = { ...stored, ...options.config }
  const balancer = undo.use(await startBalancer())
  const instances: TestServer[] = []
  for (let index = 0; index < size; index += 1) {
    const instance = undo.use(
      await startServer({ ...options, config, database, issuer: balancer.origin }),
    )
    balancer.targets.push(instance.address)
    instances.push(instance)
  }
  const owned = undo.move()
  const stop = () => owned.disposeAsync()
  return { origin: balancer.origin, instances, redis, stop, [Symbol.asyncDispose]: stop }
}
