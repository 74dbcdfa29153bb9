import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer as createPlainServer } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createGuardedFetch, proveGuard, RequestRefused } from '../../src/outgoing/guarded-fetch.ts'
import { isPublicAddress } from '../../src/outgoing/public-address.ts'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from '../support/loopback-certificate.ts'

/** What a URL may say to reach a network that is not the public one. */
const REFUSED: readonly string[] = [
  'http://example.com/jwks',
  'ftp://example.com/jwks',
  'file:///etc/passwd',
  'data:application/json,{}',
  'gopher://127.0.0.1:6379/_FLUSHALL',
  'https://user:secret@example.com/jwks',
  'https://1.1.1.1:25/',
  'https://1.1.1.1:6379/',
  'https://127.0.0.1/',
  'https://127.0.0.1:6379/',
  'https://127.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0x7f.1/',
  'https://0177.0.0.1/',
  'https://127.0.0.1./',
  'https://0/',
  'https://0.0.0.0/',
  'https://localhost/',
  'https://LOCALHOST/',
  'https://10.0.0.1/',
  'https://172.16.0.1/',
  'https://172.31.255.255/',
  'https://192.168.1.1/',
  'https://100.64.0.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://169.254.170.2/v2/credentials',
  'https://192.0.0.192/opc/v1/instance/',
  'https://100.100.100.200/latest/meta-data/',
  'https://198.18.0.1/',
  'https://192.0.2.1/',
  'https://203.0.113.1/',
  'https://224.0.0.1/',
  'https://255.255.255.255/',
  'https://①②⑦.⓪.⓪.①/',
  'https://[::]/',
  'https://[::1]/',
  'https://[0:0:0:0:0:0:0:1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://[::ffff:a9fe:a9fe]/',
  'https://[::127.0.0.1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[64:ff9b:1::a9fe:a9fe]/',
  'https://[2002:7f00:1::]/',
  'https://[2002:a9fe:a9fe::]/',
  'https://[2001:0:7f00:1::]/',
  'https://[2001:db8::1]/',
  'https://[fc00::1]/',
  'https://[fd00:ec2::254]/',
  'https://[fe80::1]/',
  'https://[fec0::1]/',
  'https://[ff02::1]/',
  'https://[100::1]/',
]

const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '172.32.0.1',
  '100.128.0.1',
  '192.0.1.1',
  '2606:4700:4700::1111',
  '2a00:1450:4001:80b::200e',
]

describe('the guard of outgoing requests', () => {
  const guarded = createGuardedFetch()

  it('CL-04 has at least 45 hostile vectors', () => {
    expect(new Set(REFUSED).size).toBeGreaterThanOrEqual(45)
  })

  it.each(REFUSED)('CL-04 refuses %s before anything is sent', async (url) => {
    await expect(guarded(url)).rejects.toBeInstanceOf(RequestRefused)
  })

  it.each(PUBLIC)('CL-04 knows %s as public', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  it('CL-04 refuses a name of which one address is private, whatever the others are', async () => {
    for (const addresses of [
      ['10.0.0.1'],
      ['1.1.1.1', '10.0.0.1'],
      ['10.0.0.1', '1.1.1.1'],
      ['fe80::1%eth0'],
      [],
    ]) {
      const rebinding = createGuardedFetch({ resolve: async () => addresses })
      await expect(rebinding('https://keys.example.com/')).rejects.toBeInstanceOf(RequestRefused)
    }
  })

  it('CL-04 the start fails when the guard is off', async () => {
    await expect(proveGuard(guarded)).resolves.toBeUndefined()
    await expect(proveGuard(async () => new Response('{}'))).rejects.toThrow(/not guarded/)
    await expect(proveGuard(createGuardedFetch({ isAllowed: () => true }))).rejects.toThrow(
      /not guarded/,
    )
    await expect(proveGuard(fetch)).rejects.toThrow(/not guarded/)
  })
})

describe('what the guard lets through', () => {
  const seen: string[] = []
  const answers: Record<string, RequestListener> = {
    '/ok': (_request, response) => response.end('{"keys":[]}'),
    '/redirect': (_request, response) => response.writeHead(302, { location: '/ok' }).end(),
    '/large': (_request, response) => response.end('x'.repeat(64 * 1024 + 1)),
    '/endless': (_request, response) => {
      const timer = setInterval(() => response.write('x'.repeat(16_384)), 1)
      response.on('close', () => clearInterval(timer))
    },
    '/slow': () => undefined,
  }
  let server: Server
  let port: number
  let resolved: string[] = []
  const loopback = createGuardedFetch({
    resolve: async (host) => {
      resolved.push(host)
      return ['127.0.0.1']
    },
    isAllowed: (address) => address === '127.0.0.1',
    ca: LOOPBACK_CERTIFICATE,
  })

  beforeAll(async () => {
    server = createServer(
      { cert: LOOPBACK_CERTIFICATE, key: LOOPBACK_KEY },
      (request, response) => {
        seen.push(`${request.method} ${request.headers.host} ${request.url}`)
        answers[request.url ?? '']?.(request, response)
      },
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = (path: string): string => `https://localhost:${port}${path}`

  it('CL-04 connects to the address that was checked, under the name that was asked for', async () => {
    resolved = []
    const response = await loopback(url('/ok'))
    expect([response.status, await response.json()]).toEqual([200, { keys: [] }])
    expect(resolved).toEqual(['localhost'])
    expect(seen.at(-1)).toBe(`GET localhost:${port} /ok`)
  })

  it('CL-04 follows no redirect', async () => {
    const before = seen.length
    expect((await loopback(url('/redirect'))).status).toBe(302)
    expect(seen.slice(before)).toEqual([`GET localhost:${port} /redirect`])
  })

  it.each(['/large', '/endless'])('CL-04 takes no more than 64 kB (%s)', async (path) => {
    await expect(loopback(url(path))).rejects.toThrow(/64 kB/)
  })

  it('CL-04 waits no longer than 2.5 s for an answer, nor for a name', async () => {
    const hanging = createGuardedFetch({ resolve: () => new Promise(() => undefined) })
    const began = performance.now()
    await Promise.all([
      expect(loopback(url('/slow'))).rejects.toThrow(),
      expect(hanging('https://keys.example.com/')).rejects.toThrow(),
    ])
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  it('CF-02 demands a certificate of that name by an authority that is trusted', async () => {
    const untrusting = createGuardedFetch({
      resolve: async () => ['127.0.0.1'],
      isAllowed: () => true,
    })
    await expect(untrusting(url('/ok'))).rejects.toThrow(/self-signed/)
    await expect(loopback(`https://other.example:${port}/ok`)).rejects.toThrow(/altnames/)
  })

  it('CL-04 speaks to no server without TLS', async () => {
    const plain = createPlainServer((_request, response) => response.end('{}')).listen(
      0,
      '127.0.0.1',
    )
    await once(plain, 'listening')
    await expect(
      loopback(`https://localhost:${(plain.address() as AddressInfo).port}/`),
    ).rejects.toThrow()
    plain.close()
  })
})
