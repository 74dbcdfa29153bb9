import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'

/**
 * A server that greets like Redis, tells its policy, passes the checks of a start, and answers
 * everything else with one line.
 */
export async function redisThatSays(
  line: string,
  policy = 'noeviction',
): Promise<{ readonly url: string } & AsyncDisposable> {
  const info = `redis_version:7.0.0\r\nloading:0\r\nmaxmemory_policy:${policy}\r\n`
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      for (const command of commandsIn(data.toString())) socket.write(answer(command))
    })
  })
  const answer = (command: string): string => {
    if (command === 'hello') return '%1\r\n+server\r\n+redis\r\n'
    if (['client', 'select', 'set'].includes(command)) return '+OK\r\n'
    if (command === 'ping') return '+PONG\r\n'
    if (command === 'info') return `$${info.length}\r\n${info}\r\n`
    return `${line}\r\n`
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The names of the commands: the first bulk string of each array. */
function commandsIn(text: string): string[] {
  return [...text.matchAll(/(?:^|\r\n)\*\d+\r\n\$\d+\r\n([A-Za-z]+)\r\n/g)].map((match) =>
    (match[1] ?? '').toLowerCase(),
  )
}
