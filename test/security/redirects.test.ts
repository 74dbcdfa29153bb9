import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createClient, REDIRECT_URI } from '../support/factories.ts'
import { type Answer, authorize } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let clientId: string
let nativeId: string

beforeAll(async () => {
  server = await startServer()
  clientId = (await createClient(server)).clientId
  const redirects = [
    'http://127.0.0.1/cb',
    'http://[::1]/cb',
    'http://localhost:8400/cb',
    'com.example.app:/cb',
    'https://app.example/cb',
  ]
  nativeId = (
    await createClient(server, {
      secret: null,
      type: 'native',
      redirectUris: redirects,
    })
  ).clientId
})
afterAll(() => server.stop())

/** A page of ours, and no way to anywhere else. */
function expectPage({ status, headers, location, text }: Answer): void {
  expect([status, location, headers.get('content-type')]).toEqual([
    400,
    undefined,
    'text/html; charset=utf-8',
  ])
  expect(text).not.toMatch(/http-equiv="refresh"/i)
}

const PARTS: readonly [string, string, string][] = [
  ['https://', 'client.example/callback', 'before the host'],
  ['https://client.example', '/callback', 'after the host'],
  ['https://client.example/', 'callback', 'in the path'],
  ['https://client.example/callback', '', 'at the end'],
]
const INSERTED = [
  '/',
  '//',
  '\\',
  '.',
  '@',
  '#',
  '?',
  '&',
  ';',
  '*',
  ' ',
  '%20',
  '%00',
  '\u0000',
  '\r\n',
  '%0d%0a',
  '%2e%2e',
  '../',
  '%2f',
  'é',
]
const OTHERS: readonly string[] = [
  'https://evil.example/callback',
  'https://client.example.evil.example/callback',
  'https://evil.example/https://client.example/callback',
  'https://evil.example?https://client.example/callback',
  'https://evil.example#https://client.example/callback',
  'https://client.example@evil.example/callback',
  'https://evil.example\\@client.example/callback',
  'http://client.example/callback',
  'HTTPS://client.example/callback',
  'https://CLIENT.example/callback',
  'https://client.example:443/callback',
  'https://client.example:8443/callback',
  'https://client.example/Callback',
  'https://client.example/callback/',
  'https://client.example/call',
  'https://client.example/a/../callback',
  'https://client.example/%63allback',
  'https://client.example/callback?next=https://evil.example',
  'https://client.example/callback#code=1',
  '//client.example/callback',
  '/callback',
  'callback',
  'client.example/callback',
  'javascript:alert(1)',
  'javascript://client.example/%0aalert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:msgbox(1)',
  'blob:https://client.example/callback',
  'file:///etc/passwd',
  'null',
]
const HOSTILE = [
  ...OTHERS,
  ...PARTS.flatMap(([head, tail]) => INSERTED.map((text) => head + text + tail)).filter(
    (uri) => uri !== REDIRECT_URI,
  ),
]

describe('redirect URIs at /auth', () => {
  it('AZ-01 has at least 80 hostile vectors', () => {
    expect(new Set(HOSTILE).size).toBeGreaterThanOrEqual(80)
  })

  it.each(HOSTILE)('AZ-01 answers %j with a page, whatever else the request says', async (uri) => {
    expectPage(await authorize(server, clientId, { redirect_uri: uri }))
    expectPage(
      await authorize(server, clientId, {
        redirect_uri: uri,
        prompt: 'none',
        response_type: 'token',
        scope: 'nothing',
      }),
    )
  })

  it('AZ-01 accepts exactly the registered one', async () => {
    const { status, location } = await authorize(server, clientId)
    expect([status, location?.origin]).toEqual([303, server.origin])
  })

  it.each([
    'http://127.0.0.1:51004/cb',
    'http://127.0.0.1/cb',
    'http://[::1]:49152/cb',
    'com.example.app:/cb',
    'https://app.example/cb',
  ])('AZ-01 lets a native app come back to %s (RFC 8252 7.1 to 7.3)', async (uri) => {
    const { status, location } = await authorize(server, nativeId, { redirect_uri: uri })
    expect([status, location?.origin]).toEqual([303, server.origin])
  })

  it.each([
    'http://127.0.0.1:51004/other',
    'http://127.0.0.1:51004/cb?x=1',
    'http://127.0.0.2:51004/cb',
    'http://127.0.0.1.evil.example:51004/cb',
    'http://127.0.0.1:51004@evil.example/cb',
    'https://127.0.0.1:51004/cb',
    'http://[::2]:49152/cb',
    'com.example.app:/cb/x',
    'com.example.app://cb',
    'com.example.other:/cb',
    'https://app.example:8443/cb',
  ])('AZ-01 does not let a native app come back to %s', async (uri) => {
    expectPage(await authorize(server, nativeId, { redirect_uri: uri }))
  })

  it('AZ-01 varies no port for an app that is not native', async () => {
    const web = await createClient(server, {
      redirectUris: ['http://localhost:3000/cb'],
    })
    expectPage(await authorize(server, web.clientId, { redirect_uri: 'http://localhost:3001/cb' }))
  })
})

describe('errors before the redirect URI is proven', () => {
  it.each<[string, Readonly<Record<string, string | string[] | undefined>>]>([
    ['an unknown client', { client_id: 'nobody' }],
    ['no client', { client_id: undefined }],
    ['an empty client', { client_id: '' }],
    ['two clients', { client_id: ['a', 'b'] }],
    ['a client named by a NUL', { client_id: '\u0000' }],
    ['no redirect URI', { redirect_uri: undefined }],
    ['an empty redirect URI', { redirect_uri: '' }],
    ['two redirect URIs', { redirect_uri: [REDIRECT_URI, REDIRECT_URI] }],
    ['a foreign redirect URI', { redirect_uri: 'https://evil.example/' }],
  ])(
    'AZ-02 shows a page for %s, also with prompt=none, a bad scope, a bad type or mode',
    async (_what, change) => {
      const further = [
        {},
        { prompt: 'none' },
        { scope: 'nothing' },
        { response_type: 'token' },
        { response_mode: 'fragment' },
        { request: 'x.y.z' },
      ]
      for (const more of further)
        expectPage(await authorize(server, clientId, { ...more, ...change }))
    },
  )

  it('AZ-02 tells the person and not the app when the client is disabled', async () => {
    const { clientId: gone } = await createClient(server)
    await server.context.clients.disable(gone)
    expectPage(await authorize(server, gone, { prompt: 'none' }))
  })
})
