import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ENDPOINTS, type Endpoint } from '../../src/oidc/endpoints.ts'
import { createClient } from '../support/factories.ts'
import { authorizationUrl, basic, nobody, post } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

const PATHS = Object.values(ENDPOINTS).flatMap(({ path, alias, methods, kind }: Endpoint) =>
  [path, ...(alias ? [alias] : [])].map((each) => ({
    path: each.replace(':uid', nobody()),
    methods,
    kind,
  })),
)
const VERBS = ['GET', 'HEAD', 'POST', 'OPTIONS']

const escaped = (text: string) => `%${text.charCodeAt(0).toString(16)}`
/** Everything that some router, proxy or browser takes for the same path. */
function spellingsOf(path: string): string[] {
  const letter = /[a-z]/.exec(path)?.index ?? 1
  const at = (index: number, change: (text: string) => string) =>
    path.slice(0, index) + change(path.charAt(index)) + path.slice(index + 1)
  const last = path.lastIndexOf('/')
  const spelled = [
    path.toUpperCase(),
    at(letter, (text) => text.toUpperCase()),
    // U+017F is an s in upper case, U+212A a k in lower case.
    path.replace('s', '%C5%BF').replace('k', '%E2%84%AA'),
    `${path}/`,
    `${path}//`,
    `/${path}`,
    `${path.slice(0, last)}/${path.slice(last)}`,
    `/.${path}`,
    `/x/..${path}`,
    `${path}/.`,
    `${path};`,
    `${path};jsessionid=1`,
    `${path}%20`,
    `${path}%00`,
    `${path}.json`,
    `${path}%3f`,
    at(letter, escaped),
    at(letter, (text) => escaped(text).replace('%', '%25')),
    ...(last > 0 ? ['%2f', '%2F', '%5c'].map((slash) => at(last, () => slash)) : []),
    `${path}%2f`,
  ]
  return [...new Set(spelled)].filter((one) => !PATHS.some(({ path: known }) => known === one))
}

describe('endpoints of the protocol', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  /** As it is written: `fetch` and `new URL` would tidy the path. */
  function ask(
    method: string,
    path: string,
  ): Promise<{ status: number; location: string | undefined }> {
    return new Promise((resolve, reject) => {
      const { address, origin } = server
      const preflight = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
      const headers = { host: new URL(origin).host, ...(method === 'OPTIONS' ? preflight : {}) }
      const sent = request({ ...address, method, path, headers, agent: false }, (answer) => {
        answer
          .resume()
          .on('end', () =>
            resolve({ status: answer.statusCode ?? 0, location: answer.headers.location }),
          )
      })
      sent.on('error', reject).end()
    })
  }

  it.each(PATHS)(
    'RL-05 $path has one spelling: there is nothing at any other, whatever the method',
    async ({ path, methods }) => {
      for (const spelling of spellingsOf(path))
        for (const method of VERBS)
          expect([method, spelling, await ask(method, spelling)]).toEqual([
            method,
            spelling,
            { status: 404, location: undefined },
          ])
      for (const method of VERBS) {
        const { status } = await ask(method, path)
        expect([method, path, status !== 404 && status < 500]).toEqual([method, path, true])
        expect([method, path, status === 405]).toEqual([method, path, !methods.includes(method)])
      }
    },
  )

  it('RL-05 AZ-08 a right secret and a long parameter get nothing at another spelling either', async () => {
    const service = await createClient(server, {
      type: 'service',
    })
    for (const path of [
      '/TOKEN',
      '/token/',
      '/Token/',
      '/token/INTROSPECTION',
      '/token/introspection/',
    ])
      expect([
        path,
        (await post(server, path, { grant_type: 'client_credentials' }, basic(service))).status,
      ]).toEqual([path, 404])
    const { search } = authorizationUrl(server, service.clientId, { nonce: 'x'.repeat(3000) })
    expect((await ask('GET', `/auth${search}`)).status).toBe(400)
    for (const path of ['/AUTH', '/auth/'])
      expect([path, (await ask('GET', path + search)).status]).toEqual([path, 404])
  })
})
