import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy on loopback whose faults are those of a network: closed port, silence, delay. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** Connections stay open and nothing comes through any more. */
  hang(): void
  /** Every piece of data takes that much longer. */
  delay(ms: number): void
  /** Resets all connections and listens no more. */
  close(): Promise<void>
  /** Ends every fault. */
  heal(): Promise<void>
}

export async function startProxy(target: {
  readonly host: string
  readonly port: number
}): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let isHanging = false
  let delayMs = 0
  const server = createServer((incoming) => {
    const onward = connect(target)
    for (const [from, to] of [
      [incoming, onward],
      [onward, incoming],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.on('data', (data) => {
        if (isHanging) return
        if (delayMs === 0) to.write(data)
        else setTimeout(() => to.writable && to.write(data), delayMs).unref()
      })
    }
  })
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const { port } = server.address() as AddressInfo

  async function close(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.resetAndDestroy()
    await closed
  }
  return {
    port,
    hang: () => {
      isHanging = true
    },
    delay: (ms) => {
      delayMs = ms
    },
    close,
    async heal() {
      if (isHanging) for (const socket of sockets) socket.resetAndDestroy()
      isHanging = false
      delayMs = 0
      if (!server.listening) await listen(port)
    },
    [Symbol.asyncDispose]: async () => {
      if (server.listening) await close()
    },
  }
}
