import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startServer, type TestServer } from '../support/server.ts'

const END = '\r\n\r\n'
const SMUGGLED = 'GET /health/live HTTP/1.1\r\nHost: HOST\r\n\r\n'

/**
 * Requests that two parsers could read differently. Every one must end the connection with 400, or
 * be read as one request.
 */
const VECTORS: readonly (readonly [name: string, bytes: string])[] = [
  [
    'CL.TE',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nContent-Length: 6\r\nTransfer-Encoding: chunked${END}0${END}${SMUGGLED}`,
  ],
  [
    'TE.CL',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nContent-Length: 4${END}5c\r\n${SMUGGLED}\r\n0${END}`,
  ],
  [
    'two Content-Length',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\nContent-Length: 44${END}${SMUGGLED}`,
  ],
  [
    'two equal Content-Length',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\nContent-Length: 0${END}${SMUGGLED}`,
  ],
  [
    'Content-Length list',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0, 44${END}${SMUGGLED}`,
  ],
  [
    'negative Content-Length',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nContent-Length: -1${END}${SMUGGLED}`,
  ],
  [
    'plus before Content-Length',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nContent-Length: +0${END}${SMUGGLED}`,
  ],
  [
    'hexadecimal Content-Length',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0x0${END}${SMUGGLED}`,
  ],
  [
    'words in Content-Length',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nContent-Length: zero${END}${SMUGGLED}`,
  ],
  [
    'overflow of Content-Length',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nContent-Length: 18446744073709551616${END}${SMUGGLED}`,
  ],
  [
    'space before the colon',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nContent-Length : 0${END}${SMUGGLED}`,
  ],
  [
    'space before Transfer-Encoding',
    `POST /token HTTP/1.1\r\nHost: HOST\r\n Transfer-Encoding: chunked${END}0${END}${SMUGGLED}`,
  ],
  [
    'obs-fold',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding:\r\n chunked${END}zz${END}${SMUGGLED}`,
  ],
  [
    'TE identity, chunked',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked, identity${END}0${END}${SMUGGLED}`,
  ],
  [
    'TE xchunked',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: xchunked${END}0${END}${SMUGGLED}`,
  ],
  [
    'TE with vertical tab',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding:\x0bchunked${END}0${END}${SMUGGLED}`,
  ],
  [
    'two Transfer-Encoding',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: cow${END}0${END}${SMUGGLED}`,
  ],
  [
    'TE on HTTP/1.0 with CL',
    `POST /token HTTP/1.0\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nContent-Length: 5${END}0${END}${SMUGGLED}`,
  ],
  [
    'bad chunk size',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked${END}zz\r\n${END}`,
  ],
  [
    'chunk size with 0x',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked${END}0x1\r\na\r\n0${END}`,
  ],
  [
    'negative chunk size',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked${END}-1\r\na\r\n0${END}`,
  ],
  [
    'overflow of chunk size',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked${END}fffffffffffffffff\r\na${END}`,
  ],
  [
    'chunk without CRLF',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked${END}1\r\nab0${END}`,
  ],
  [
    'chunk with LF only',
    `POST /token HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked${END}1\na\n0\n\n`,
  ],
  ['LF only', 'POST /token HTTP/1.1\nHost: HOST\nContent-Length: 0\n\n'],
  ['CR only', 'POST /token HTTP/1.1\rHost: HOST\rContent-Length: 0\r\r'],
  ['bare CR in a header', `GET /health/live HTTP/1.1\r\nHost: HOST\r\nX: a\rY: b${END}`],
  ['NUL in a header', `GET /health/live HTTP/1.1\r\nHost: HOST\r\nX: a\x00b${END}`],
  ['NUL in a header name', `GET /health/live HTTP/1.1\r\nHost: HOST\r\nX\x00Y: b${END}`],
  ['NUL in the path', `GET /health/\x00live HTTP/1.1\r\nHost: HOST${END}`],
  ['header without colon', `GET /health/live HTTP/1.1\r\nHost: HOST\r\nbroken${END}`],
  ['empty header name', `GET /health/live HTTP/1.1\r\nHost: HOST\r\n: x${END}`],
  ['no Host', `GET /health/live HTTP/1.1\r\n${END}`],
  ['two Hosts', `GET /login HTTP/1.1\r\nHost: HOST\r\nHost: evil.example${END}`],
  ['bad version', `GET /health/live HTTP/1.9\r\nHost: HOST${END}`],
  ['HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['space in the path', `GET /health/live x HTTP/1.1\r\nHost: HOST${END}`],
  [
    'a header over 32 kB',
    `GET /health/live HTTP/1.1\r\nHost: HOST\r\nX: ${'a'.repeat(33_000)}${END}`,
  ],
]
/** Read as exactly one request, whose body is what its framing says: nothing of it is smuggled on. */
const READ_AS_ONE = new Set(['two Hosts'])

describe('request smuggling', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  it.each(VECTORS)('WB-08 %s: refused, and the connection closed', async (name, bytes) => {
    const { said, isClosed } = await speak(server, bytes)
    const statuses = [...said.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
    expect(statuses.filter((status) => status < 400)).toEqual([])
    // A refusal that went out before the body turned out to be broken may come first.
    expect(statuses.length).toBeLessThanOrEqual(name.startsWith('chunk') ? 2 : 1)
    if (READ_AS_ONE.has(name)) expect(statuses).toEqual([400])
    else
      expect({
        said,
        isClosed,
        refused: [400, 431, undefined].includes(statuses.at(-1)),
      }).toMatchObject({ isClosed: true, refused: true })
  })

  it('WB-08 WB-10 a second Host never counts, a body too large ends its connection, and what follows it is not read as a request', async () => {
    const { said } = await speak(
      server,
      `GET /login HTTP/1.1\r\nHost: evil.example\r\nHost: HOST${END}`,
    )
    expect(said).toMatch(/^HTTP\/1\.1 (400|421) /)
    const body = `${'a'.repeat(80_000)}${SMUGGLED.replace('HOST', 'localhost')}`
    for (const framing of [
      `Content-Length: ${body.length}${END}${body}`,
      `Transfer-Encoding: chunked${END}${body.length.toString(16)}\r\n${body}\r\n`,
    ]) {
      const head =
        'POST /forgot-password HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/x-www-form-urlencoded\r\n'
      const answer = await speak(server, head + framing)
      expect(answer.said).toMatch(/^HTTP\/1\.1 413 /)
      expect(answer.said.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    }
  })

  it('WB-08 honest requests one after the other on one connection are answered in order', async () => {
    const one = `GET /health/live HTTP/1.1\r\nHost: HOST${END}`
    const { said } = await speak(server, one + one)
    expect(said.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
  })
})

/** Sends bytes and reads until the server closes, or is silent for a while. */
function speak(
  { address, origin }: TestServer,
  bytes: string,
): Promise<{ said: string; isClosed: boolean }> {
  return new Promise((resolve) => {
    let said = ''
    const socket = connect(address, () =>
      socket.write(bytes.replaceAll('HOST', new URL(origin).host), 'latin1'),
    )
    const finish = (isClosed: boolean) => {
      socket.destroy()
      resolve({ said, isClosed })
    }
    socket.setTimeout(1500, () => finish(false))
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1')
    })
    socket
      .on('end', () => finish(true))
      .on('close', () => finish(true))
      .on('error', () => finish(true))
  })
}
