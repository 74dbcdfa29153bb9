import { Agent, get } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { CONNECTIONS } from '../../src/config/limits.ts'
import { createHttpServer } from '../../src/http/http-server.ts'
import { createLogger } from '../../src/logger/logger.ts'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** What is over after 10, 15 or 30 seconds is over by then also on a busy machine. */
const PATIENCE_MS = 60_000

describe('connections', () => {
  const lines: Record<string, unknown>[] = []
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({
      logger: createLogger('info', {
        write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
      }),
    })
  })
  afterAll(() => server.stop())

  /** Says the bytes, goes on as told, and hears everything until the server ends the connection. */
  function untilClosed(
    bytes: string,
    goOn: (socket: Socket) => void = () => undefined,
  ): Promise<string> {
    return new Promise((resolve) => {
      let said = ''
      const socket = connect(server.address, () => {
        if (bytes) socket.write(bytes.replace('HOST', new URL(server.origin).host))
        goOn(socket)
      })
      socket.on('data', (chunk) => (said += chunk.toString('latin1')))
      socket.on('error', () => undefined).on('close', () => resolve(said))
    })
  }
  /** A byte a second, for ever. */
  const drip = (socket: Socket) => {
    const timer = setInterval(() => socket.write('a'), 1000)
    socket.on('close', () => clearInterval(timer))
  }

  it(
    'F21 one that is silent, slow in its headers or slow in its body ends after the promised seconds, and others are served meanwhile',
    async () => {
      const post =
        'POST /forgot-password HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9000\r\n\r\n'
      const slow = Promise.all([
        untilClosed(''),
        untilClosed('GET /health/live HTTP/1.1\r\nX: '),
        untilClosed('GET /health/live HTTP/1.1\r\nX: ', drip),
        untilClosed(post),
        untilClosed(post, drip),
      ])
      for (let asked = 0; asked < 20; asked += 1)
        expect((await send(`${server.origin}/health/live`)).status).toBe(200)
      for (const said of await slow) expect(said).toMatch(/^(HTTP\/1\.1 408 |$)/)
      expect(lines).toContainEqual(
        expect.objectContaining({
          event: 'request.refused',
          status: 408,
          reason: 'ERR_HTTP_REQUEST_TIMEOUT',
        }),
      )
    },
    PATIENCE_MS,
  )

  it('F21 one whose answer nobody reads ends', async () => {
    const http = createHttpServer({ logger: createLogger('silent') }, (_request, response) =>
      response.end(Buffer.alloc(20_000_000)),
    )
    expect(http.timeout).toBe(CONNECTIONS.silentSeconds * 1000)
    http.timeout = 200
    const ended = new Promise((resolve) =>
      http.on('connection', (socket) => socket.on('close', resolve)),
    )
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const { port } = http.address() as AddressInfo
    const client = connect(port, '127.0.0.1', () =>
      client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    )
    client.on('error', () => undefined).pause()
    await ended
    client.destroy()
    http.close()
  })

  it(
    'F21 one that is kept is good for longer than the pools of common proxies: it says so',
    async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      const ask = () =>
        new Promise<string>((resolve, reject) => {
          get(`${server.origin}/health/live`, { agent }, (answer) =>
            answer.resume().once('end', () => resolve(String(answer.headers['keep-alive']))),
          ).on('error', reject)
        })
      expect(await ask()).toMatch(/^timeout=95\b/)
      await sleep(6500)
      const [socket] = Object.values(agent.freeSockets).flat()
      expect(socket?.destroyed).toBe(false)
      expect(await ask()).toMatch(/^timeout=95\b/)
      expect(Object.values(agent.freeSockets).flat()).toEqual([socket])
      agent.destroy()
    },
    PATIENCE_MS,
  )

  it('IN-02 headers of 31 kB are read, over 32 kB they are 431 with a sentence, and a line of the log', async () => {
    const cookie = (length: number) => ({ cookie: `a=${'b'.repeat(length)}` })
    expect((await send(`${server.origin}/health/live`, { headers: cookie(31_000) })).status).toBe(
      200,
    )
    for (const length of [33_000, 300_000]) {
      const refused = await send(`${server.origin}/health/live`, { headers: cookie(length) })
      expect(refused.status).toBe(431)
      expect(await refused.text()).toMatch(
        /^The headers of this request are longer than 32 kB\. .*cookies.*\n$/,
      )
      expect(refused.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    }
    const told = lines.filter(({ status }) => status === 431)
    expect(told).toHaveLength(2)
    for (const line of told)
      expect(line).toMatchObject({
        event: 'request.refused',
        reason: 'HPE_HEADER_OVERFLOW',
        ip: '127.0.0.1',
      })
  })
})
