import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

const ROUTES: readonly (readonly [path: string, methods: readonly string[]])[] = [
  ['/.well-known/openid-configuration', ['GET', 'HEAD', 'OPTIONS']],
  ['/.well-known/oauth-authorization-server', ['GET', 'HEAD', 'OPTIONS']],
  ['/jwks', ['GET', 'HEAD', 'OPTIONS']],
  ['/token', ['POST', 'OPTIONS']],
  ['/token/introspection', ['POST', 'OPTIONS']],
  ['/token/revocation', ['POST', 'OPTIONS']],
  ['/userinfo', ['GET', 'HEAD', 'POST', 'OPTIONS']],
  ['/auth', ['GET', 'HEAD', 'POST']],
  ['/session/end', ['GET', 'HEAD', 'POST']],
  ['/session/end/confirm', ['POST']],
  ['/health/live', ['GET', 'HEAD']],
  ['/health/ready', ['GET', 'HEAD']],
  ['/', ['GET', 'HEAD']],
  ['/login', ['GET', 'HEAD']],
  ['/signup', ['GET', 'HEAD']],
  ['/forgot-password', ['GET', 'HEAD', 'POST']],
  ['/reset-password', ['GET', 'HEAD', 'POST']],
  ['/verify-email', ['GET', 'HEAD', 'POST']],
  ['/change-email', ['GET', 'HEAD', 'POST']],
  ['/undo-email', ['GET', 'HEAD', 'POST']],
  ['/report-compromise', ['GET', 'HEAD', 'POST']],
  ['/keep-account', ['GET', 'HEAD', 'POST']],
  ['/interaction/some-uid/login', ['GET', 'HEAD', 'POST']],
  ['/interaction/some-uid/mfa', ['GET', 'HEAD', 'POST']],
  ['/interaction/some-uid/sign-up', ['GET', 'HEAD', 'POST']],
  ['/interaction/some-uid/verify-email', ['GET', 'HEAD', 'POST']],
  ['/interaction/some-uid/resend', ['GET', 'HEAD', 'POST']],
  ['/interaction/some-uid/consent', ['GET', 'HEAD', 'POST']],
  ['/api/auth/sign-in/email', ['POST']],
  ['/api/auth/edit/basic', ['PATCH']],
  ['/api/auth/user', ['DELETE']],
]
const VERBS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
/** What Node's parser lets through, and more. */
const ODD = [
  'TRACE',
  'PROPFIND',
  'MKCOL',
  'COPY',
  'LOCK',
  'SEARCH',
  'PURGE',
  'LINK',
  'QUERY',
  'MKACTIVITY',
  'REPORT',
  'M-SEARCH',
  'ACL',
  'REBIND',
]

describe('methods', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  it('WB-07 answers 405 with Allow to every other verb of every route', async () => {
    for (const [path, allowed] of ROUTES)
      for (const method of VERBS.filter((verb) => !allowed.includes(verb))) {
        const answer = await send(`${server.origin}${path}`, { method })
        expect([path, method, answer.status]).toEqual([
          path,
          method,
          path.startsWith('/api/') && method === 'OPTIONS' ? 200 : 405,
        ])
        const allow = (answer.headers.get('allow') ?? '').split(', ')
        expect([path, method, allow]).toEqual([
          path,
          method,
          expect.arrayContaining(allowed.filter((verb) => verb !== 'OPTIONS' && verb !== 'HEAD')),
        ])
        expect(allow).not.toContain(method)
      }
  })

  it('WB-07 refuses TRACE and verbs of other protocols on every route', async () => {
    for (const [path] of ROUTES)
      for (const method of ODD) {
        const status = await send(`${server.origin}${path}`, { method }).then(
          (answer) => answer.status,
          () => 'closed',
        )
        expect([path, method, [400, 405, 'closed'].includes(status)]).toEqual([path, method, true])
      }
  })

  it('WB-07 opens no tunnel for CONNECT, and speaks no method that HTTP does not know', async () => {
    for (const line of [
      'CONNECT 127.0.0.1:5432 HTTP/1.1',
      'TRACK / HTTP/1.1',
      'FOO / HTTP/1.1',
      'get / HTTP/1.1',
      'GETT / HTTP/1.1',
    ]) {
      const answer = await speak(server, `${line}\r\nHost: ${new URL(server.origin).host}\r\n\r\n`)
      expect([line, /^(HTTP\/1\.1 (400|405) |$)/.test(answer)]).toEqual([line, true])
    }
  })

  it('WB-07 HEAD answers like GET, without a body and without an effect', async () => {
    for (const path of ['/forgot-password', '/health/live', '/jwks', '/login']) {
      const [get, head] = [
        await send(`${server.origin}${path}`),
        await send(`${server.origin}${path}`, { method: 'HEAD' }),
      ]
      expect([path, head.status]).toEqual([path, get.status])
      expect(await head.text()).toBe('')
    }
  })
})

/** Sends bytes and reads until the server closes, or falls silent. */
function speak({ address }: TestServer, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let said = ''
    const socket = connect(address, () => socket.write(bytes, 'latin1'))
    const finish = () => {
      socket.destroy()
      resolve(said)
    }
    socket.setTimeout(1000, finish)
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1')
    })
    socket.on('close', finish).on('error', finish)
  })
}
