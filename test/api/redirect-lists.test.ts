import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { ClientChange } from '../../src/clients/client-change.ts'
import { type ClientInput, Clients } from '../../src/clients/clients.ts'
import { parseClient } from '../../src/clients/parse-client.ts'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { AppError } from '../../src/errors.ts'
import { silentAudit } from '../support/audit.ts'
import { useDatabase } from '../support/database.ts'

const where = useDatabase()
let database: Database
let clients: Clients
beforeAll(async () => {
  database = await openDatabase({ url: where.url, pool: 6 })
  clients = new Clients({
    em: database.em,
    audit: silentAudit,
    logos: { fetch: async () => undefined },
  })
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
})

const HTTPS = 'https://app.example.com/cb'
const PRIVATE = 'http://192.168.1.5/cb'
const SCHEME = 'audiobookshelf://oauth'
const LOOPBACK = 'http://localhost:3000/cb'
const web = (...redirectUris: string[]): ClientInput => ({ name: 'Listening', redirectUris })
const atHome = (...redirectUris: string[]): ClientInput => ({
  ...web(...redirectUris),
  allowPrivateRedirect: true,
})

/** The reason for each field; nothing if it is taken. */
async function refusal(work: Promise<unknown>): Promise<object> {
  try {
    await work
    return {}
  } catch (error) {
    if (error instanceof AppError) return error.details.fields ?? {}
    throw error
  }
}

describe('lists of redirect URIs', () => {
  it.each<[string, ClientInput]>([
    ['https and a scheme', web(HTTPS, SCHEME)],
    ['https and loopback', web(HTTPS, LOOPBACK)],
    ['a private network', atHome(PRIVATE)],
    ['a private network, https and loopback', atHome(PRIVATE, HTTPS, LOOPBACK)],
    ['a private network to sign out to', { ...atHome(HTTPS), postLogoutRedirectUris: [PRIVATE] }],
    ['a scheme to sign out to', { ...web(HTTPS), postLogoutRedirectUris: [SCHEME] }],
    ['all that a native app has', { ...web(HTTPS, SCHEME, 'http://127.0.0.1/cb'), type: 'native' }],
  ])('AZ-01 may hold %s', async (_what, input) => {
    expect(await refusal(clients.create(input))).toEqual({})
  })

  it.each<[string, ClientInput, object]>([
    [
      'a private network without being allowed to',
      web(HTTPS, PRIVATE),
      { 'redirectUris.1': 'private_http' },
    ],
    [
      'a private network to sign out to, without being allowed to',
      { ...web(HTTPS), postLogoutRedirectUris: [PRIVATE] },
      { 'postLogoutRedirectUris.0': 'private_http' },
    ],
    [
      'a private network of an app in the browser',
      { ...atHome(PRIVATE), type: 'spa' },
      { allowPrivateRedirect: 'private_of_public' },
    ],
    [
      'a private network of a native app',
      { ...atHome(PRIVATE), type: 'native' },
      { allowPrivateRedirect: 'private_of_public' },
    ],
    [
      'a scheme and a private network',
      atHome(HTTPS, SCHEME, PRIVATE),
      { redirectUris: 'scheme_and_private' },
    ],
    [
      'a scheme, and a private network to sign out to',
      { ...atHome(HTTPS, SCHEME), postLogoutRedirectUris: [PRIVATE] },
      { redirectUris: 'scheme_and_private' },
    ],
    ['a scheme alone, with a secret', web(SCHEME), { redirectUris: 'scheme_beside_https' }],
    [
      'a scheme and loopback',
      web(HTTPS, SCHEME, LOOPBACK),
      { redirectUris: 'scheme_beside_https' },
    ],
    [
      'a scheme and loopback by https',
      web(HTTPS, SCHEME, 'https://localhost/cb'),
      { redirectUris: 'scheme_beside_https' },
    ],
    [
      'a scheme of an app in the browser',
      { ...web(HTTPS, SCHEME), type: 'spa' },
      { 'redirectUris.1': 'own_scheme' },
    ],
  ])('AZ-01 may not hold %s', async (_what, input, reasons) => {
    expect(await refusal(clients.create(input))).toEqual(reasons)
  })

  it.each<[string, ClientInput, ClientChange, object]>([
    [
      'from a scheme to a private network',
      web(HTTPS, SCHEME),
      { redirectUris: [HTTPS, PRIVATE], allowPrivateRedirect: true },
      {},
    ],
    [
      'from a private network to a scheme',
      atHome(PRIVATE),
      { redirectUris: [HTTPS, SCHEME], allowPrivateRedirect: null },
      {},
    ],
    [
      'to both at once',
      web(HTTPS, SCHEME),
      { redirectUris: [HTTPS, SCHEME, PRIVATE], allowPrivateRedirect: true },
      { redirectUris: 'scheme_and_private' },
    ],
    [
      'by taking the permission away alone',
      atHome(HTTPS, PRIVATE),
      { allowPrivateRedirect: null },
      { 'redirectUris.1': 'private_http' },
    ],
    [
      'by taking the secret away from a private network',
      atHome(PRIVATE),
      { type: 'native' },
      { allowPrivateRedirect: 'private_of_public' },
    ],
    [
      'by taking https away from a scheme',
      web(HTTPS, SCHEME),
      { redirectUris: [SCHEME] },
      { redirectUris: 'scheme_beside_https' },
    ],
  ])('AZ-01 an update goes %s, or changes nothing', async (_what, input, change, reasons) => {
    const { client } = await clients.create(input)
    expect(await refusal(clients.update(client.id, change))).toEqual(reasons)
    const { registration } = await clients.get(client.id)
    const isRefused = Object.keys(reasons).length > 0
    expect(registration.redirectUris).toEqual(
      isRefused ? input.redirectUris : (change.redirectUris ?? input.redirectUris),
    )
  })

  it('AZ-01 the engine takes any port of loopback for native apps only', async () => {
    const typeOf = async (input: ClientInput) =>
      (await clients.create(input)).client.metadata['application_type']
    expect(await typeOf(web(HTTPS, LOOPBACK))).toBe('web')
    expect(await typeOf(web(HTTPS, SCHEME))).toBe('native')
    expect(await typeOf({ ...web(LOOPBACK), type: 'native' })).toBe('native')
  })

  it('a client from before there was a choice is what it was, and no update says otherwise', async () => {
    const { client } = await clients.create(web(HTTPS))
    await database.pool.query(
      `update "client" set "registration" = "registration" - 'allowPrivateRedirect' where "id" = $1`,
      [client.id],
    )
    expect((await clients.get(client.id)).registration.allowPrivateRedirect).toBe(false)
    expect((await clients.update(client.id, { requireMfa: true })).changed).toEqual(['requireMfa'])
  })
})

describe('where an app is told of a sign-out', () => {
  const listed = (hostname: string) =>
    ['nextcloud', 'nas.lan', '192.168.1.5', '[fd12::1]'].includes(hostname)
  const reason = (backchannelLogoutUri: string, isPlain = false, mayName = listed) => {
    try {
      parseClient({ ...web(HTTPS), backchannelLogoutUri, backchannelHttp: isPlain }, mayName)
      return undefined
    } catch (error) {
      return (error as AppError).details.fields
    }
  }

  it('CL-04 a private network is for operators who list it, and http for those who say so', () => {
    for (const host of ['nextcloud', 'nas.lan', '192.168.1.5:8443', '[fd12::1]'])
      expect(reason(`https://${host}/logout`)).toBeUndefined()
    expect(reason('http://nextcloud/logout', true)).toBeUndefined()
    expect(reason('http://nextcloud/logout')).toEqual({ backchannelLogoutUri: 'plain_logout' })
    expect(reason('https://nextcloud/logout', true)).toEqual({ backchannelHttp: 'plain_unused' })
    expect(reason('https://192.168.1.6/')).toEqual({ backchannelLogoutUri: 'private_logout' })
    expect(reason('https://printer.local/', false, () => false)).toEqual({
      backchannelLogoutUri: 'private_logout',
    })
  })

  it.each([
    'http://user@nas.lan/',
    'https://nas.lan/#x',
    'https://nas.lan:6379/',
    'https://nas.lan:5432/',
    'https://NAS.lan/',
    'https://nas.lan@evil.example/',
    'https:nas.lan',
    'gopher://nas.lan/',
    'https://[::ffff:192.168.1.5]/',
    'http://app.example.com/',
  ])('CL-04 %s is refused there, too', (uri) => {
    expect(reason(uri, true)).toHaveProperty('backchannelLogoutUri')
  })
})
