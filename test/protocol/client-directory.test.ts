import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type ClientInput, Clients } from '../../src/clients/clients.ts'
import { Resources } from '../../src/clients/resources.ts'
import { type Database, openDatabase, type Pool } from '../../src/database/database.ts'
import type { Client } from '../../src/entities/index.ts'
import { Announcements } from '../../src/feed/announcements.ts'
import { ChangeFeed } from '../../src/feed/change-feed.ts'
import { CHANNEL } from '../../src/feed/changes.ts'
import { LookupCache } from '../../src/feed/lookup-cache.ts'
import { createLogger } from '../../src/logger/logger.ts'
import { ClientDirectory } from '../../src/oidc/clients/directory.ts'
import { silentAudit } from '../support/audit.ts'
import { useDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

const where = useDatabase()
const logger = createLogger('silent')
const SPA: ClientInput = {
  name: 'App',
  type: 'spa',
  redirectUris: ['https://app.example.com/'],
  refreshLeewaySeconds: 3,
}
let database: Database
/** Logos are another test's matter. */
const logos = { fetch: async () => undefined }
let clients: Clients
/** Registered before any directory listens: the news of a registration may come after the first look-up. */
let known: Client

beforeAll(async () => {
  database = await openDatabase({ url: where.url, pool: 4 })
  clients = new Clients({ em: database.em, audit: silentAudit, logos })
  known = (await clients.create(SPA)).client
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
})

/** The same pool, counting look-ups. */
function counted(pool: Pool): { pool: Pool; readonly queries: number; startOver(): void } {
  const counter = { queries: 0 }
  const query = (...given: unknown[]) => {
    counter.queries++
    return (pool.query as (...given: unknown[]) => unknown)(...given)
  }
  const watched = new Proxy(pool, {
    get: (target, name) => (name === 'query' ? query.bind(target) : Reflect.get(target, name)),
  })
  return {
    pool: watched,
    get queries() {
      return counter.queries
    },
    startOver() {
      counter.queries = 0
    },
  }
}

const until = (holds: () => Promise<boolean> | boolean): Promise<void> => eventually(holds, true)

describe('the client directory', () => {
  let counter: ReturnType<typeof counted>
  let here: ClientDirectory
  let there: ClientDirectory
  let feeds: [Announcements, Announcements]
  beforeEach(async () => {
    counter = counted(database.pool)
    feeds = [
      await Announcements.open({ database, logger }),
      await Announcements.open({ database, logger }),
    ]
    here = await ClientDirectory.open({ pool: counter.pool, announcements: feeds[0] })
    // Opening it reads when the server was restored.
    counter.startOver()
    there = await ClientDirectory.open({ pool: database.pool, announcements: feeds[1] })
  })
  afterEach(async () => {
    for (const feed of feeds) await feed[Symbol.asyncDispose]()
  })

  it('asks the database once and then returns the same object', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => here.adapter.find(known.id)))
    expect(new Set(all).size).toBe(1)
    expect(await here.adapter.find(known.id)).toBe(all[0])
    expect(counter.queries).toBe(1)
  })

  it('speaks of a client in the words of oidc-provider', async () => {
    await new Resources({ em: database.em, audit: silentAudit }).create({
      identifier: 'https://api.example.com/',
      name: 'API',
      scopes: ['a', 'b'],
    })
    const { client, secret } = await clients.create({
      name: 'Portal',
      redirectUris: ['https://app.example.com/'],
      resources: ['https://api.example.com/'],
      scopes: ['openid', 'a'],
      isFirstParty: true,
    })
    const found = await here.adapter.find(client.id)
    expect(found).toMatchObject({
      client_id: client.id,
      client_name: 'Portal',
      client_secret: client.secretDigest,
      scope: 'openid',
      allowed_scopes: ['openid', 'a'],
      allowed_resources: ['https://api.example.com/'],
      first_party: true,
      require_mfa: false,
    })
    expect(JSON.stringify(found)).not.toContain(secret)
    expect(await here.findResource('https://api.example.com/')).toEqual({
      identifier: 'https://api.example.com/',
      scopes: ['a', 'b'],
      accessTokenSeconds: 600,
      includesGroups: false,
      signingAlg: 'ES256',
      tokenTyp: 'at+jwt',
      opensUserinfo: false,
      servedBy: undefined,
    })
  })

  it('forgets a disabled client on every instance, and finds it again when enabled', async () => {
    const { client } = await clients.create(SPA)
    const knows = async (directory: ClientDirectory) =>
      (await directory.adapter.find(client.id)) !== undefined
    expect([await knows(here), await knows(there)]).toEqual([true, true])
    await clients.disable(client.id)
    await until(async () => !(await knows(here)) && !(await knows(there)))
    await clients.enable(client.id)
    await until(async () => (await knows(here)) && (await knows(there)))
  })

  it('TK-07 knows a rotated secret on every instance', async () => {
    const { client } = await clients.create({
      name: 'Web',
      redirectUris: ['https://app.example.com/'],
    })
    const before = (await there.adapter.find(client.id))?.['client_secret']
    await clients.rotateSecret(client.id)
    await until(async () => (await there.adapter.find(client.id))?.['client_secret'] !== before)
  })

  it('remembers that a client is absent until it is registered', async () => {
    expect(await here.adapter.find('late')).toBeUndefined()
    expect(await here.adapter.find('late')).toBeUndefined()
    expect(counter.queries).toBe(1)
    await clients.ensure({ id: 'late', ...SPA })
    await until(async () => (await here.adapter.find('late')) !== undefined)
  })

  it('asks the database nothing about identifiers that cannot be registered', async () => {
    for (const id of ['', 'a b', 'a\u0000b', 'x'.repeat(513), '\ud800', 'é'])
      expect(await here.adapter.find(id)).toBeUndefined()
    expect(await here.findResource(`https://api.example.com/${'x'.repeat(512)}`)).toBeUndefined()
    expect(counter.queries).toBe(0)
  })

  it('knows the leeway of a client that it has found', async () => {
    expect(here.leewaySeconds(known.id, 7)).toBe(7)
    await here.adapter.find(known.id)
    expect(here.leewaySeconds(known.id, 7)).toBe(3)
  })

  it('TK-03 gives more than ten seconds only to clients that authenticate', async () => {
    const WEB: ClientInput = {
      name: 'App',
      type: 'web',
      redirectUris: ['https://app.example.com/'],
    }
    const [{ client: web }, { client: spa }] = [
      await clients.create(WEB),
      await clients.create({ ...SPA, refreshLeewaySeconds: undefined }),
    ]
    const found = async () =>
      (await Promise.all([web, spa].map(({ id }) => here.adapter.find(id)))).every(Boolean)
    await until(async () => (await found()) && here.leewaySeconds(web.id, 60) === 60)
    expect([
      here.leewaySeconds(web.id, 60),
      here.leewaySeconds(spa.id, 60),
      here.leewaySeconds('unknown', 60),
    ]).toEqual([60, 10, 10])
    await expect(clients.create({ ...SPA, refreshLeewaySeconds: 11 })).rejects.toMatchObject({
      code: 'invalid_input',
    })
    await expect(clients.create({ ...SPA, refreshRotation: 'never' })).rejects.toMatchObject({
      code: 'invalid_input',
    })
  })

  it('CL-02 takes no registration from the protocol', async () => {
    await expect(here.adapter.upsert('x', {}, 60)).rejects.toThrow(/registered through/)
    await expect(here.adapter.destroy('x')).rejects.toThrow(/registered through/)
  })

  it('does not remember a database that is away', async () => {
    const { client } = await clients.create(SPA)
    await database.pool.query('alter table "client" rename to "client_away"')
    await expect(here.adapter.find(client.id)).rejects.toThrow()
    await database.pool.query('alter table "client_away" rename to "client"')
    expect(await here.adapter.find(client.id)).toMatchObject({ client_id: client.id })
  })

  it('hears of changes again within seconds after its connection was cut, and of those it missed', async () => {
    const { client } = await clients.create(SPA)
    await here.adapter.find(client.id)
    await database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%' and datname = current_database()`,
    )
    await clients.disable(client.id)
    await until(async () => (await here.adapter.find(client.id)) === undefined)
    const next = await clients.create(SPA)
    await until(async () => {
      const before = counter.queries
      await here.adapter.find(next.client.id)
      return counter.queries === before
    })
    await clients.disable(next.client.id)
    await until(async () => (await here.adapter.find(next.client.id)) === undefined)
  })
})

describe('the announcements', () => {
  it('reach the followers of their kind; an unknown kind nobody, what cannot be read everybody', async () => {
    await using announcements = await Announcements.open({ database, logger })
    const told: string[] = []
    for (const kind of ['client', 'signing_key'] as const)
      announcements.follow(kind, {
        changed: (id) => told.push(`${kind} ${id}`),
        missed: () => told.push(`${kind} missed`),
      })
    const say = (payload: string) =>
      database.pool.query('select pg_notify($1, $2)', [CHANNEL, payload])
    await say('{"kind":"client","id":"a","since":"a newer version"}')
    await say('{"kind":"of a newer version","id":"b"}')
    await say('{"kind":"signing_key","id":"c"}')
    await say('no JSON')
    await until(async () => told.length === 4)
    expect(told).toEqual(['client a', 'signing_key c', 'client missed', 'signing_key missed'])
  })
})

describe('the change feed', () => {
  it('notices within five seconds that its connection is dead though open', async () => {
    const { host = '127.0.0.1', port } = database.direct
    await using wire = await frozenWire(host, port || 5432)
    let gaps = 0
    const feed = await ChangeFeed.open({
      connection: { ...database.direct, host: '127.0.0.1', port: wire.port },
      channel: CHANNEL,
      logger,
      onChange: () => undefined,
      onGap: () => gaps++,
    })
    expect([feed.isLive, gaps]).toEqual([true, 1])
    wire.freeze()
    await until(() => !feed.isLive)
    expect(gaps).toBe(2)
    wire.thaw()
    await until(() => feed.isLive)
    expect(gaps).toBe(3)
    await feed[Symbol.asyncDispose]()
  })

  it('opens without a database and ends at once', async () => {
    const feed = await ChangeFeed.open({
      connection: { ...database.direct, host: '127.0.0.1', port: 1 },
      channel: CHANNEL,
      logger,
      onChange: () => undefined,
      onGap: () => undefined,
    })
    expect(feed.isLive).toBe(false)
    const began = performance.now()
    await feed[Symbol.asyncDispose]()
    expect(performance.now() - began).toBeLessThan(5000)
  })
})

describe('the look-up cache', () => {
  const make = (load: (key: string) => Promise<object | undefined>, isLive = true) =>
    new LookupCache({ load, isLive: () => isLive, max: 100, deafMs: 50 })

  it('is bounded, and a flood of made-up keys pushes out no real one', async () => {
    const cache = make(async (key) => (key === 'real' ? { key } : undefined))
    const real = await cache.find('real')
    for (let made = 0; made < 5000; made++) await cache.find(`made-up-${made}`)
    expect(cache.size).toBeLessThanOrEqual(101)
    expect(cache.peek('real')).toBe(real)
  })

  it('keeps no answer that a change overtook', async () => {
    const answers = [{ version: 1 }, { version: 2 }]
    const cache = make(async () => {
      await sleep(20)
      return answers.shift()
    })
    const stale = cache.find('a')
    cache.changed('a')
    expect(await stale).toEqual({ version: 1 })
    expect(cache.peek('a')).toBeUndefined()
    expect(await cache.find('a')).toEqual({ version: 2 })
  })

  it('keeps answers for a moment only while no changes are heard', async () => {
    let loads = 0
    const cache = make(async () => ({ loads: ++loads }), false)
    await cache.find('a')
    await cache.find('a')
    expect(loads).toBe(1)
    await sleep(60)
    await cache.find('a')
    expect(loads).toBe(2)
  })
})

/** A wire to PostgreSQL that can stop carrying without closing. */
async function frozenWire(host: string, port: number) {
  const sockets = new Set<Socket>()
  let isFrozen = false
  const server = createServer((inner) => {
    const outer = connect(port, host)
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(from)
      from.on('data', (chunk) => {
        if (!isFrozen) to.write(chunk)
      })
      from.on('close', () => to.destroy())
      from.on('error', () => undefined)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    freeze: () => {
      isFrozen = true
    },
    thaw: () => {
      isFrozen = false
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
