import type { AddressInfo, Socket } from 'node:net'
import { connect } from 'node:net'
import { createServer } from 'node:tls'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from '../loopback-certificate.ts'
import { type ServerOptions, startServer, type TestServer } from '../server.ts'
import { TO_LOOPBACK } from './tls.ts'

/**
 * A whole server of the product behind TLS on loopback, with a database of its own, which other
 * such servers reach: as a provider, or as a client of one. Browsers of tests go to `address`.
 */
export async function startOverTls(options: ServerOptions = {}): Promise<TestServer> {
  await using undo = new AsyncDisposableStack()
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
  undo.defer(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => front.close(resolve))
  })
  const issuer = `https://localhost:${(front.address() as AddressInfo).port}`
  const server = undo.use(await startServer({ issuer, outgoing: TO_LOOPBACK, ...options }))
  port = server.address.port
  const owned = undo.move()
  const stop = () => owned.disposeAsync()
  return { ...server, stop, [Symbol.asyncDispose]: stop }
}
