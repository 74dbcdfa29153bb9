import type { AddressInfo, Socket } from 'node:net'
import { connect } from 'node:net'
import { createServer } from 'node:tls'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from '../loopback-certificate.ts'
import { type ServerOptions, startServer, type TestServer } from '../server.ts'
import { TO_LOOPBACK } from './tls.ts'

/** TLS on loopback, in front of what speaks none. */
export interface TlsFront extends AsyncDisposable {
  readonly origin: string
  /** Before anybody comes. */
  leadTo(port: number): void
}

export async function openTlsFront(): Promise<TlsFront> {
  const sockets = new Set<Socket>()
  let port = 0
  const front = createServer({ key: LOOPBACK_KEY, cert: LOOPBACK_CERTIFICATE }, (from) => {
    const to = connect(port, '127.0.0.1')
    for (const socket of [from, to]) {
      sockets.add(socket)
      socket.on('error', () => {
        from.destroy()
        to.destroy()
      })
      socket.on('close', () => sockets.delete(socket))
    }
    from.pipe(to).pipe(from)
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  return {
    origin: `https://localhost:${(front.address() as AddressInfo).port}`,
    leadTo(behind) {
      port = behind
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => front.close(resolve))
    },
  }
}

/**
 * A whole server of the product behind TLS on loopback, with a database of its own, which other
 * such servers reach: as a provider, or as a client of one. Browsers of tests go to `address`.
 */
export async function startOverTls(options: ServerOptions = {}): Promise<TestServer> {
  await using undo = new AsyncDisposableStack()
  const front = undo.use(await openTlsFront())
  const settings = { issuer: front.origin, outgoing: TO_LOOPBACK, ...options }
  const server = undo.use(await startServer(settings))
  front.leadTo(server.address.port)
  const owned = undo.move()
  const stop = () => owned.disposeAsync()
  return { ...server, stop, [Symbol.asyncDispose]: stop }
}
