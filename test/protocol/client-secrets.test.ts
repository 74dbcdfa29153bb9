import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Registration } from '../../src/clients/clients.ts'
import { sentencesOf } from '../../src/clients/reasons.ts'
import type { AppError } from '../../src/errors.ts'
import { eventually } from '../support/eventually.ts'
import { send } from '../support/http.ts'
import { basic } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

const API = 'https://api.example.com/'
let server: TestServer
beforeAll(async () => {
  server = await startServer()
  await server.context.resources.create({ identifier: API, name: 'API', scopes: ['read'] })
})
afterAll(() => server.stop())

const service = (authMethod: 'client_secret_basic' | 'client_secret_post'): Promise<Registration> =>
  server.context.clients.create({ name: 'Export', type: 'service', resources: [API], authMethod })

/** The status of a token request with the secret: the fast path, and the engine's own. */
const WAYS = {
  client_secret_basic: (clientId: string, clientSecret: string) =>
    post({ resource: API }, basic({ clientId, clientSecret })),
  client_secret_post: (clientId: string, clientSecret: string) =>
    post({ resource: API, client_id: clientId, client_secret: clientSecret }),
}

async function post(form: Record<string, string>, headers = {}): Promise<number> {
  const { status } = await send(`${server.origin}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...form }).toString(),
  })
  return status
}

async function refusal(work: Promise<unknown>): Promise<Record<string, string>> {
  return sentencesOf((await work.catch((reason: unknown) => reason)) as AppError)
}

const sql = (text: string, ...values: unknown[]) =>
  server.context.database.pool.query<Record<string, unknown>>(text, values)
const digestOf = (secret: string) => createHash('sha256').update(secret).digest('base64url')
/** As the previous version looks a client up. */
const column = async (id: string) =>
  (await sql('select "secret_digest" as "digest" from "client" where "id" = $1', id)).rows[0]?.[
    'digest'
  ]

describe.each(['client_secret_basic', 'client_secret_post'] as const)('secrets by %s', (method) => {
  const status = (id: string, secret: string) => WAYS[method](id, secret)

  it('TK-07 overlap: each of them is good until it is removed, on every instance at once', async () => {
    const { clientSecrets } = server.context
    const { client, secret: first = '' } = await service(method)
    expect(await status(client.id, first)).toBe(200)
    const second = await clientSecrets.add(client.id, { label: 'from November' })
    await eventually(() => status(client.id, second.secret), 200)
    expect(await status(client.id, first)).toBe(200)
    expect(await status(client.id, `${first}x`)).toBe(401)
    const [newest, oldest] = await clientSecrets.list(client.id)
    expect([newest?.id, newest?.label, oldest?.label]).toEqual([second.id, 'from November', null])
    await clientSecrets.remove(client.id, oldest?.id ?? '')
    await eventually(() => status(client.id, first), 401)
    expect(await status(client.id, second.secret)).toBe(200)
  })

  it('TK-07 ends where its time ends, though nothing is announced', async () => {
    const { clientSecrets } = server.context
    const { client, secret: first = '' } = await service(method)
    const soon = new Date(Date.now() + 1500)
    const { secret } = await clientSecrets.add(client.id, { expiresAt: soon })
    await eventually(() => status(client.id, secret), 200)
    await eventually(() => status(client.id, secret), 401)
    expect(await status(client.id, first)).toBe(200)
  })
})

describe('secrets of a client', () => {
  it('are five at most, the last good one stays, and expired ones make room', async () => {
    const { clientSecrets } = server.context
    const { client } = await service('client_secret_basic')
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, () => clientSecrets.add(client.id)),
    )
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(4)
    expect(await refusal(clientSecrets.add(client.id))).toEqual({
      id: 'has 5 secrets, the most there can be; remove one first: client secret list, client secret remove',
    })
    const [newest, ...others] = await clientSecrets.list(client.id)
    for (const { id } of others) await clientSecrets.remove(client.id, id)
    expect(await refusal(clientSecrets.remove(client.id, newest?.id ?? ''))).toEqual({
      secret:
        'is the last one that is good; add another first, or shut the app out: client disable',
    })
    expect(await refusal(clientSecrets.remove(client.id, others[0]?.id ?? ''))).toEqual({
      secret: 'is none of its secrets; "client secret list" has them',
    })
    expect(await refusal(clientSecrets.add(client.id, { expiresAt: new Date(0) }))).toHaveProperty(
      'expiresAt',
    )
    await sql(`update "client_secret" set "expires_at" = now() where "client_id" = $1`, client.id)
    await clientSecrets.add(client.id)
    expect(await clientSecrets.list(client.id)).toHaveLength(1)
  })

  it('are for clients that show one, and end with another way to authenticate', async () => {
    const { clients, clientSecrets } = server.context
    const { client } = await clients.create({
      name: 'App',
      type: 'spa',
      redirectUris: ['https://app.example.com/'],
    })
    expect(await refusal(clientSecrets.add(client.id))).toEqual({ id: 'this client has no secret' })
    const { secret = '' } = await clients.update(client.id, { type: 'web' })
    expect((await clientSecrets.list(client.id)).map(({ digest }) => digest)).toEqual([
      digestOf(secret),
    ])
    await clients.update(client.id, { type: 'spa' })
    expect(await clientSecrets.list(client.id)).toEqual([])
    expect(await column(client.id)).toBeNull()
  })

  it('are known when they were last used, to the hour and behind the answer', async () => {
    const { clientSecrets, secretUses } = server.context
    const { client, secret = '' } = await service('client_secret_basic')
    const lastUsed = async () => (await clientSecrets.list(client.id))[0]?.lastUsedAt ?? null
    expect(await WAYS.client_secret_basic(client.id, 'wrong')).toBe(401)
    await secretUses.flush()
    expect(await lastUsed()).toBeNull()
    expect(await WAYS.client_secret_basic(client.id, secret)).toBe(200)
    await secretUses.flush()
    const first = await lastUsed()
    expect(first).toBeInstanceOf(Date)
    expect(await WAYS.client_secret_basic(client.id, secret)).toBe(200)
    await secretUses.flush()
    expect(await lastUsed()).toEqual(first)
  })
})

describe('secrets beside the previous version', () => {
  it('TK-07 it finds the newest one, and after that is removed the one before', async () => {
    const { clientSecrets, clients } = server.context
    const { client, secret: first = '' } = await service('client_secret_basic')
    expect(await column(client.id)).toBe(digestOf(first))
    const { id, secret } = await clientSecrets.add(client.id)
    expect(await column(client.id)).toBe(digestOf(secret))
    await clientSecrets.remove(client.id, id)
    expect(await column(client.id)).toBe(digestOf(first))
    const last = await clients.rotateSecret(client.id)
    expect(await column(client.id)).toBe(digestOf(last))
    expect(await clientSecrets.list(client.id)).toHaveLength(1)
  })

  it('TK-07 one that it rotated is the only good one, and another can be added to it', async () => {
    const { clientSecrets } = server.context
    const { client, secret: first = '' } = await service('client_secret_basic')
    await clientSecrets.add(client.id)
    const rotated = 'r'.repeat(43)
    await sql(
      `update "client" set "secret_digest" = $2 where "id" = $1`,
      client.id,
      digestOf(rotated),
    )
    await sql(
      `select pg_notify('gatehouse_client', $1)`,
      JSON.stringify({ kind: 'client', id: client.id }),
    )
    await eventually(() => WAYS.client_secret_basic(client.id, rotated), 200)
    expect(await WAYS.client_secret_basic(client.id, first)).toBe(401)
    const { secret } = await clientSecrets.add(client.id)
    await eventually(() => WAYS.client_secret_basic(client.id, secret), 200)
    expect(await WAYS.client_secret_basic(client.id, rotated)).toBe(200)
    expect(await WAYS.client_secret_basic(client.id, first)).toBe(401)
    expect(await clientSecrets.list(client.id)).toHaveLength(2)
  })
})
