import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type ClientInput, Clients } from '../../src/clients/clients.ts'
import { metadataOf, registrationOf } from '../../src/clients/metadata.ts'
import { sentencesOf } from '../../src/clients/reasons.ts'
import { PKCE } from '../../src/clients/registration.ts'
import { Resources } from '../../src/clients/resources.ts'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { Client } from '../../src/entities/index.ts'
import { AppError } from '../../src/errors.ts'
import { silentAudit } from '../support/audit.ts'
import { useDatabase } from '../support/database.ts'
import { holds } from '../support/property.ts'

const where = useDatabase()
const ACCOUNT_API = { identifier: 'https://id.example/api/auth', scopes: ['account'] }
const NOTES = { identifier: 'https://notes.example/', scopes: ['notes:read', 'notes:write'] }
const MAIL = { identifier: 'https://mail.example/', scopes: ['mail:read'] }
let database: Database
/** What was asked for. */
const fetched: string[] = []
const logos = {
  fetch: async (uri: string | undefined) => {
    if (uri !== undefined) fetched.push(uri)
    return undefined
  },
}
let clients: Clients
let resources: Resources

beforeAll(async () => {
  database = await openDatabase({ url: where.url, pool: 6 })
  clients = new Clients({ em: database.em, audit: silentAudit, logos, accountApi: ACCOUNT_API })
  resources = new Resources({ em: database.em, audit: silentAudit })
  for (const api of [NOTES, MAIL]) await resources.create({ ...api, name: 'API' })
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
})

const WEB: ClientInput = { name: 'Plant Diary', redirectUris: ['https://app.example.com/cb'] }

async function refusal(work: Promise<unknown>): Promise<{ code: string; fields: object }> {
  const error = await work.catch((reason: unknown) => reason)
  if (!(error instanceof AppError)) throw new Error(`not refused: ${String(error)}`)
  return { code: error.code, fields: error.details.fields ?? {} }
}

const row = async (id: string) => {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    'select * from "client" where "id" = $1',
    [id],
  )
  return rows[0]
}

/** Registrations of every type, as an operator could ask for them. */
const inputs = fc.constantFrom('web', 'spa', 'native', 'service').chain((type) => {
  const isService = type === 'service'
  const isSecret = type === 'web' || isService
  const any = fc.record(
    {
      type: fc.constant(type),
      name: fc.stringMatching(/^[a-zA-Z][\w é€]{0,20}\w$/),
      redirectUris: isService
        ? fc.constant([])
        : fc.uniqueArray(fc.stringMatching(/^https:\/\/[a-z]{1,9}\.example\/[a-z]{0,9}$/), {
            minLength: 1,
            maxLength: 4,
          }),
      resources: fc.uniqueArray(fc.constantFrom(NOTES.identifier, MAIL.identifier)),
      requireMfa: fc.boolean(),
      ...(isService
        ? {}
        : {
            requireAcr: fc.constantFrom('2fa', 'phr'),
            defaultAcrValues: fc.uniqueArray(fc.constantFrom('1fa', '2fa', 'phr'), {
              minLength: 1,
            }),
            signInMethods: fc.uniqueArray(fc.constantFrom('password', 'passkey', 'email-code'), {
              minLength: 1,
            }),
            providers: fc.uniqueArray(fc.constantFrom('google', 'github')),
          }),
      isFirstParty: fc.boolean(),
      accountApi: isService ? fc.constant(false) : fc.boolean(),
      idTokenAlg: fc.constantFrom('ES256', 'RS256', 'PS256', 'EdDSA'),
      idTokenClaims: fc.constantFrom('minimal', 'scope'),
      atHash: fc.boolean(),
      accessTokenSeconds: fc.integer({ min: 60, max: 86_400 }),
      refreshIdleSeconds: fc.integer({ min: 600, max: 30 * 86_400 }),
      refreshLeewaySeconds: fc.integer({ min: 0, max: isSecret ? 60 : 10 }),
      refreshRotation: fc.constantFrom(...(isSecret ? ['always', 'never'] : ['always'])),
      pkce: fc.constantFrom(...(type === 'web' ? PKCE : (['required'] as const))),
      authMethod: fc.constantFrom(
        ...(isSecret ? ['client_secret_basic', 'client_secret_post'] : ['none']),
      ),
      responseModes: fc.uniqueArray(fc.constantFrom('query', 'fragment', 'form_post'), {
        minLength: 1,
      }),
      clientUri: fc.stringMatching(/^https:\/\/[a-z]{1,9}\.example\/[a-z]{0,9}$/),
    },
    { requiredKeys: ['type', 'name', 'redirectUris'] },
  ) as fc.Arbitrary<ClientInput>
  return any.filter(
    ({ pkce, responseModes }) => pkce !== 'optional' || !responseModes?.includes('fragment'),
  )
})

describe('a client is kept as it was meant', () => {
  it('has its type, its scopes and every choice, those left out as they are usual', async () => {
    const { client } = await clients.create({
      ...WEB,
      type: 'native',
      resources: [NOTES.identifier],
    })
    const { registration } = await clients.get(client.id)
    expect(registration).toEqual({
      ...WEB,
      type: 'native',
      postLogoutRedirectUris: [],
      allowPrivateRedirect: false,
      backchannelHttp: false,
      grantTypes: ['authorization_code', 'refresh_token'],
      responseModes: ['query', 'form_post'],
      authMethod: 'none',
      resources: [NOTES.identifier],
      scopes: ['openid', 'profile', 'email', 'offline_access', ...NOTES.scopes],
      isFirstParty: false,
      requireMfa: false,
      registration: 'open',
      accountApi: false,
      pkce: 'required',
      refreshRotation: 'always',
      idTokenAlg: 'RS256',
      idTokenClaims: 'minimal',
      atHash: false,
    })
  })

  it('the metadata is derived from what was meant, and can be derived again', async () => {
    await holds(inputs, async (input) => {
      const { client } = await clients.create(input)
      const { registration } = await clients.get(client.id)
      expect(metadataOf(registration)).toEqual(client.metadata)
    })
  })

  it('what a client is, given to an update, changes nothing', async () => {
    await holds(inputs, async (input) => {
      const { client } = await clients.create(input)
      const before = await row(client.id)
      const { registration } = await clients.get(client.id)
      const { changed } = await clients.update(client.id, registration)
      expect([changed, await row(client.id)]).toEqual([[], before])
    })
  })

  it('of a time before there was a choice is as it was then, and no change', async () => {
    const { client } = await clients.create({
      ...WEB,
      pkce: 'or_nonce',
      idTokenClaims: 'scope',
      atHash: true,
    })
    const { registration } = await clients.get(client.id)
    await database.pool.query(
      `update "client" set "registration" = "registration" - '{pkce,idTokenClaims,atHash}'::text[] where "id" = $1`,
      [client.id],
    )
    const old = await clients.get(client.id)
    expect(old.registration).toEqual({
      ...registration,
      pkce: 'required',
      idTokenClaims: 'minimal',
      atHash: false,
    })
    expect((await clients.update(client.id, old.registration)).changed).toEqual([])
  })

  it('reads what the previous version wrote, and the migration writes the same', async () => {
    const known = await Promise.all([
      clients.create({ ...WEB, accountApi: true, logoUri: 'https://cdn.example.com/l.png' }),
      clients.create({ ...WEB, type: 'spa', resources: [MAIL.identifier] }),
      clients.create({ ...WEB, type: 'native', redirectUris: ['com.example.app:/cb'] }),
      clients.create({ name: 'Export', type: 'service', resources: [NOTES.identifier] }),
    ])
    const { Migration20261130082000_client_registration: Migration } = await import(
      '../../migrations/Migration20261130082000_client_registration.ts'
    )
    const statements: string[] = []
    const collector = Object.assign(Object.create(Migration.prototype) as object, {
      addSql: (sql: string) => statements.push(sql),
    })
    await Migration.prototype.up.call(collector as unknown as InstanceType<typeof Migration>)
    const backFill = statements.find((sql) => sql.startsWith('update "client" set "reg')) ?? ''
    for (const { client } of known) {
      const { registration } = await clients.get(client.id)
      await database.pool.query(`update "client" set "registration" = null where "id" = $1`, [
        client.id,
      ])
      expect((await clients.get(client.id)).registration).toEqual(registration)
      await database.pool.query(backFill)
      const again = await database.em.fork().findOneOrFail(Client, { id: client.id })
      expect(again.registration).not.toBeNull()
      expect(registrationOf(again)).toEqual(registration)
    }
  })
})

describe('an id of the operator', () => {
  it.each(['shop', 'Shop_2.staging~eu-1', '7', 'a'.repeat(512)])('may be %s', async (id) => {
    const { client } = await clients.create({ ...WEB, id })
    expect(client.id).toBe(id)
    expect((await clients.get(id)).client.name).toBe('Plant Diary')
  })

  it.each<[string, string]>([
    ['', 'id_characters'],
    ['-shop', 'id_characters'],
    ['my shop', 'id_characters'],
    ['shop/1', 'id_characters'],
    ['shop:1', 'id_characters'],
    ['https://shop.example/client.json', 'id_characters'],
    ['größe', 'id_characters'],
    ['shop\u0000', 'id_characters'],
    ['gatehouse-account', 'id_reserved'],
    ['Gatehouse-shop', 'id_reserved'],
    ['a'.repeat(513), 'too_long'],
  ])('is never %j', async (id, code) => {
    expect(await refusal(clients.create({ ...WEB, id }))).toEqual({
      code: 'invalid_input',
      fields: { id: code },
    })
  })

  it('is given once', async () => {
    await clients.create({ ...WEB, id: 'once' })
    expect((await refusal(clients.create({ ...WEB, id: 'once' }))).fields).toEqual({
      id: 'id_taken',
    })
  })

  it('is given once also to many at the same time', async () => {
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, () => clients.create({ ...WEB, id: 'raced' })),
    )
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const each of all)
      if (each.status === 'rejected')
        expect((await refusal(Promise.reject(each.reason as Error))).fields).toEqual({
          id: 'id_taken',
        })
  })
})

describe('a change', () => {
  it('changes what is given and nothing else, and counts', async () => {
    const { client } = await clients.create({ ...WEB, clientUri: 'https://app.example.com/' })
    const { registration } = await clients.get(client.id)
    const { changed } = await clients.update(client.id, { name: 'Garden', requireMfa: true })
    expect(changed).toEqual(['name', 'requireMfa'])
    const after = await clients.get(client.id)
    expect(after.registration).toEqual({ ...registration, name: 'Garden', requireMfa: true })
    expect([client.version, after.client.version]).toEqual([1, 2])
    await clients.update(client.id, { clientUri: null })
    const last = await clients.get(client.id)
    expect(last.registration).not.toHaveProperty('clientUri')
    expect(last.client.metadata).not.toHaveProperty('client_uri')
  })

  it('is checked as a registration is, and a refused one changes nothing', async () => {
    const { client } = await clients.create(WEB)
    const before = await row(client.id)
    const refused = await refusal(
      clients.update(client.id, { redirectUris: ['http://app.example.com/'], name: 'Other' }),
    )
    expect(refused.fields).toEqual({ 'redirectUris.0': 'plain_http' })
    expect(await refusal(clients.update(client.id, { type: 'service' }))).toMatchObject({
      fields: { redirectUris: 'service_redirect' },
    })
    expect(await row(client.id)).toEqual(before)
    expect(await refusal(clients.update('nobody', {}))).toMatchObject({ code: 'not_found' })
    expect(
      await refusal(clients.update(client.id, { id: 'other' } as unknown as ClientInput)),
    ).toMatchObject({ fields: { id: 'unknown_field' } })
  })

  it('to a version that is not the last one is a conflict, and of many at once one is made', async () => {
    const { client } = await clients.create(WEB)
    await clients.update(client.id, { name: 'Second' }, { version: 1 })
    expect(
      await refusal(clients.update(client.id, { name: 'Third' }, { version: 1 })),
    ).toMatchObject({ code: 'conflict' })
    expect((await clients.get(client.id)).client.name).toBe('Second')
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        clients.update(client.id, { name: `Racer ${index}` }, { version: 2 }),
      ),
    )
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await clients.get(client.id)).client.version).toBe(3)
  })

  it('to another type brings the usual grants and authentication of that type', async () => {
    const { client, secret } = await clients.create({ ...WEB, type: 'spa' })
    expect(secret).toBeUndefined()
    const web = await clients.update(client.id, { type: 'web' })
    expect(web.secret).toHaveLength(43)
    expect((await clients.get(client.id)).registration.authMethod).toBe('client_secret_basic')
    const service = await clients.update(client.id, {
      type: 'service',
      redirectUris: null,
      resources: [NOTES.identifier],
    })
    expect(service).not.toHaveProperty('secret')
    expect((await clients.get(client.id)).registration).toMatchObject({
      grantTypes: ['client_credentials'],
      scopes: NOTES.scopes,
    })
    await clients.update(client.id, { ...WEB, type: 'spa' })
    expect((await clients.get(client.id)).client.secretDigest).toBeNull()
  })

  it('of its default scopes takes those that it may have, and never offline_access or account', async () => {
    const { client } = await clients.create({
      ...WEB,
      resources: [NOTES.identifier],
      defaultScopes: ['openid', 'notes:read'],
    })
    const { registration } = await clients.get(client.id)
    expect(registration.defaultScopes).toEqual(['openid', 'notes:read'])
    for (const [defaultScopes, code] of [
      [['offline_access'], 'default_by_name'],
      [['openid', 'account'], 'default_by_name'],
      [['mail:read'], 'foreign_defaults'],
      [['phone'], 'foreign_defaults'],
    ] as const)
      expect(
        await refusal(clients.update(client.id, { defaultScopes: [...defaultScopes] })),
      ).toMatchObject({ fields: { defaultScopes: code } })
    expect(await refusal(clients.update(client.id, { resources: [] }))).toMatchObject({
      fields: { defaultScopes: 'foreign_defaults' },
    })
    await clients.update(client.id, { defaultScopes: null, resources: [] })
    expect((await clients.get(client.id)).registration).not.toHaveProperty('defaultScopes')
  })

  it('of its APIs adds their scopes and takes those away that they had', async () => {
    const { client } = await clients.create({
      ...WEB,
      resources: [NOTES.identifier],
      scopes: ['openid', 'notes:read'],
    })
    await clients.update(client.id, { resources: [NOTES.identifier, MAIL.identifier] })
    expect((await clients.get(client.id)).registration.scopes).toEqual([
      'openid',
      'notes:read',
      'mail:read',
    ])
    await clients.update(client.id, { resources: [MAIL.identifier] })
    expect((await clients.get(client.id)).registration.scopes).toEqual(['openid', 'mail:read'])
    await clients.update(client.id, { scopes: null })
    expect((await clients.get(client.id)).registration.scopes).toEqual([
      'openid',
      'profile',
      'email',
      'offline_access',
      'mail:read',
    ])
  })

  it('turns the account API on and off, and leaves an app of old times to be settled', async () => {
    const { client } = await clients.create(WEB)
    const state = async () => (await clients.get(client.id)).client.accountApi
    await clients.update(client.id, { accountApi: true })
    expect(await state()).toBe('on')
    await database.pool.query(`update "client" set "account_api" = 'kept' where "id" = $1`, [
      client.id,
    ])
    await clients.update(client.id, { name: 'Other', accountApi: true })
    expect(await state()).toBe('kept')
    await clients.update(client.id, { accountApi: false })
    expect(await state()).toBe('off')
  })

  it('CL-03 fetches a logo that is new, and none that is there already', async () => {
    const [first, second] = ['https://cdn.example.com/1.png', 'https://cdn.example.com/2.png']
    const { client } = await clients.create({ ...WEB, logoUri: first })
    fetched.length = 0
    await clients.update(client.id, { name: 'Other', logoUri: first })
    expect(fetched).toEqual([])
    await expect(clients.update(client.id, { name: '', logoUri: second })).rejects.toThrow()
    expect(fetched).toEqual([])
    await clients.update(client.id, { logoUri: second })
    expect(fetched).toEqual([second])
    await clients.update(client.id, { logoUri: null })
    expect((await clients.get(client.id)).registration).not.toHaveProperty('logoUri')
  })

  it('keeps what a later version has stored besides, and what is no part of a registration', async () => {
    const { client } = await clients.create(WEB)
    await database.pool.query(
      `update "client" set "registration" = "registration" || '{"colour": "green"}', "metadata" = "metadata" || '{"not_before": 5}' where "id" = $1`,
      [client.id],
    )
    await clients.update(client.id, { name: 'Other' })
    expect(await row(client.id)).toMatchObject({
      registration: { colour: 'green' },
      metadata: { not_before: 5 },
    })
  })

  it('of what is built in is refused', async () => {
    await clients.ensure({ id: 'built-in', ...WEB, type: 'spa' })
    expect((await clients.get('built-in')).client.managedBy).toBe('system')
    expect((await refusal(clients.update('built-in', { name: 'Mine' }))).fields).toEqual({
      id: 'built_in',
    })
  })

  it('is one with others in the transaction of the caller, or none of them is there', async () => {
    const { client } = await clients.create(WEB)
    const together = (fails: boolean) =>
      database.em.fork().transactional(async (tx) => {
        const api = { ...NOTES, identifier: `https://${fails ? 'a' : 'b'}.example/`, name: 'New' }
        await resources.create(api, tx)
        const made = await clients.create({ ...WEB, resources: [api.identifier] }, tx)
        await clients.update(client.id, { name: 'Together', resources: [api.identifier] }, { tx })
        await clients.disable(made.client.id, { tx })
        if (fails) throw new Error('the last step fails')
        return made.client.id
      })
    const count = (await clients.list()).length
    await expect(together(true)).rejects.toThrow('the last step fails')
    expect([(await clients.list()).length, (await clients.get(client.id)).client.name]).toEqual([
      count,
      'Plant Diary',
    ])
    const id = await together(false)
    expect((await clients.get(id)).client.disabledAt).not.toBeNull()
    expect((await clients.get(client.id)).client.name).toBe('Together')
  })
})

describe('an API', () => {
  it('that a client names is not deleted, also when both happen at once', async () => {
    for (let round = 0; round < 10; round++) {
      const api = { ...NOTES, identifier: `https://race-${round}.example/`, name: 'API' }
      await resources.create(api)
      const [made, gone] = await Promise.allSettled([
        clients.create({ ...WEB, resources: [api.identifier] }),
        resources.delete(api.identifier),
      ])
      expect([made.status, gone.status].toSorted()).toEqual(['fulfilled', 'rejected'])
    }
  })

  it('changes by its version, keeps its identifier, and loses no scope that a client lists', async () => {
    const api = { ...MAIL, identifier: 'https://changing.example/', name: 'API' }
    await resources.create({ ...api, scopes: ['a', 'b'] })
    const { client } = await clients.create({
      ...WEB,
      resources: [api.identifier],
      scopes: ['openid', 'a'],
    })
    const { changed } = await resources.update(api.identifier, { scopes: ['a'], name: 'API' })
    expect(changed).toEqual(['scopes'])
    expect(
      await refusal(resources.update(api.identifier, { name: 'Other' }, { version: 1 })),
    ).toMatchObject({ code: 'conflict' })
    expect(await refusal(resources.update(api.identifier, { scopes: ['b'] }))).toMatchObject({
      fields: { scopes: 'scopes_in_use' },
    })
    await clients.delete(client.id)
    await resources.update(api.identifier, { scopes: ['b'] }, { version: 2 })
    expect((await resources.get(api.identifier)).resource).toMatchObject({
      scopes: ['b'],
      version: 3,
    })
  })
})

describe('reasons', () => {
  it('are words of one catalogue with what they name, and the sentence is made of both', async () => {
    const error = await clients
      .create({ name: 'x'.repeat(101), redirectUris: ['gopher://x'], color: 'red' } as ClientInput)
      .catch((reason: unknown) => reason as AppError)
    const refused = error as AppError
    expect(refused.details).toMatchObject({
      fields: { name: 'too_long', 'redirectUris.0': 'taken_scheme', color: 'unknown_field' },
      values: { 'redirectUris.0': { scheme: 'gopher' } },
    })
    expect(sentencesOf(refused)).toEqual({
      name: 'must be at most 100 characters long',
      'redirectUris.0': 'uses the scheme gopher:, which is not a scheme of its own',
      color: 'is not known',
    })
  })
})
