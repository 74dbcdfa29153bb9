import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { Browser } from '../support/browser.ts'
import {
  createAccount,
  createClient,
  createResource,
  type NewClient,
} from '../support/factories.ts'
import { storeOddClient } from '../support/odd-clients.ts'
import {
  authorizationUrl,
  authorize,
  basic,
  post,
  type SignedInApp,
  signedInApp,
  signIn,
} from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

type Fields = Readonly<Record<string, string | readonly string[] | undefined>>

const NOTES = 'https://notes.example/'
const BILLS = 'https://bills.example/'
const SAME = 'https://same-names.example/'
const OURS = { resources: [NOTES], scopes: ['openid', 'email', 'notes:read', 'notes:write'] }

let server: TestServer
let account: string

beforeAll(async () => {
  server = await startServer()
  account = `${server.origin}/api/auth`
  await createResource(server, {
    identifier: NOTES,
    name: 'Notes',
    scopes: ['notes:read', 'notes:write'],
    scopeDescriptions: { 'notes:read': 'Read your notes' },
  })
  await createResource(server, { identifier: BILLS, scopes: ['bills:read'] })
  await createResource(server, { identifier: SAME, scopes: ['notes:read', 'account', 'same'] })
})
afterAll(() => server.stop())

/** What the access token is for and may do; an opaque one is for userinfo. */
function use({ access_token: token, scope }: { access_token: string; scope: string }) {
  if (!token.includes('.')) return { aud: 'userinfo', scope }
  const { aud, scope: inToken } = decodeJwt(token)
  expect(inToken).toBe(scope)
  return { aud, scope }
}

async function asked(app: SignedInApp, change: Fields) {
  const { status, body } = await app.redeem(await app.code(change))
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body
}

async function errorOf(clientId: string, change: Fields) {
  const { location } = await authorize(server, clientId, change)
  return location?.searchParams.get('error')
}

describe('an API that is not named, but whose scopes are', () => {
  it('RFC 8707 is the one of the client that has them: the token is for it, the ID token tells of the person', async () => {
    const app = await signedInApp(server, OURS)
    const body = await asked(app, { scope: 'openid email notes:read' })
    expect(use(body)).toMatchObject({ aud: NOTES })
    expect(body.scope.split(' ')).toContain('notes:read')
    expect(body.scope).not.toContain('notes:write')
    expect(decodeJwt(body.id_token)).toMatchObject({ email: app.account.email })
  })

  it('RFC 8707 is not brought by scopes of the person, and the choice of the grant stays at every refresh', async () => {
    const app = await signedInApp(server, OURS)
    expect(use(await asked(app, { scope: 'openid email' }))).toEqual({
      aud: 'userinfo',
      scope: 'openid email',
    })
    const { refresh_token: first } = await asked(app, { scope: 'openid notes:read notes:write' })
    const again = (await app.refresh(first)).body
    expect(use(again).aud).toBe(NOTES)
    const less = (await app.refresh(again.refresh_token, { scope: 'notes:read' })).body
    expect(use(less)).toEqual({ aud: NOTES, scope: 'notes:read' })
    const person = (await app.refresh(less.refresh_token, { scope: 'openid' })).body
    expect(use(person)).toEqual({ aud: 'userinfo', scope: 'openid' })
    const grown = await app.refresh(person.refresh_token, { scope: 'openid email notes:read' })
    expect([grown.status, grown.body.error]).toEqual([400, 'invalid_scope'])
  })

  it('RFC 8707 is not inferred again: an API that gets the same scope later changes nothing', async () => {
    const later = 'https://later.example/'
    await createResource(server, { identifier: later, scopes: ['later'] })
    const client = await createClient(server, {
      firstParty: true,
      resources: [later],
      scopes: ['openid', 'later'],
    })
    const app = await signedInApp(server)
    const { url } = await app.browser.visit(
      authorizationUrl(server, client.clientId, { scope: 'openid later' }),
    )
    const { clients, resources } = server.context
    await resources.create({ identifier: 'https://rival.example/', name: 'R', scopes: ['later'] })
    await clients.update(client.clientId, { resources: [later, 'https://rival.example/'] })
    const code = url.searchParams.get('code') ?? ''
    const { body } = await app.redeem(code, {}, basic(client))
    expect(use(body).aud).toBe(later)
    const { body: renewed } = await app.refresh(body.refresh_token, {}, basic(client))
    expect(use(renewed).aud).toBe(later)
    expect(await errorOf(client.clientId, { scope: 'later' })).toBe('invalid_scope')
  })

  it.each<[string, NewClient, string]>([
    ['of two of its APIs', { resources: [NOTES, SAME] }, 'openid notes:read'],
    ['of an API that it is not registered for', { resources: [BILLS] }, 'openid notes:read'],
    ['of its API that it may not have', { ...OURS, scopes: ['openid'] }, 'openid notes:read'],
    ['of the account API', { resources: [BILLS], accountApi: true }, 'openid account'],
    ['named like that of the account API', { resources: [SAME] }, 'openid account'],
  ])('CL-01 is not brought by a scope %s', async (_what, wanted, scope) => {
    const app = await signedInApp(server, wanted)
    expect(use(await asked(app, { scope }))).toEqual({ aud: 'userinfo', scope: 'openid' })
    expect(await errorOf(app.client.clientId, { scope: scope.replace('openid ', '') })).toBe(
      'invalid_scope',
    )
  })

  it('CL-01 is not brought for a client without a list of its own', async () => {
    const client = await storeOddClient(server, 'it has metadata that no registration makes', {
      metadata: { redirect_uris: ['https://client.example/callback'] },
    })
    const app = await signedInApp(server)
    const page = await app.browser.visit(
      authorizationUrl(server, client.clientId, { scope: 'openid notes:write' }),
    )
    expect(page.words).not.toContain('notes:write')
  })

  it('RFC 8707 of two APIs gives tokens in turn, first for the one whose scope came first', async () => {
    const app = await signedInApp(server, { resources: [NOTES, BILLS] })
    const body = await asked(app, { scope: 'openid bills:read notes:read' })
    expect(use(body).aud).toBe(BILLS)
    const other = (await app.refresh(body.refresh_token, { resource: NOTES })).body
    expect(use(other).aud).toBe(NOTES)
  })

  it('RFC 8707 is not brought beside one that is named', async () => {
    const app = await signedInApp(server, { resources: [NOTES, BILLS] })
    const body = await asked(app, { scope: 'openid bills:read notes:read', resource: NOTES })
    expect(use(body).aud).toBe(NOTES)
    expect(body.scope).not.toContain('bills:read')
    const refused = await app.refresh(body.refresh_token, { resource: BILLS })
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_target'])
  })

  it('RFC 8707 CL-01 a service with several APIs gets the one that its scopes belong to', async () => {
    const client = await createClient(server, { type: 'service', resources: [NOTES, BILLS, SAME] })
    const tokenFor = (scope: string) =>
      post(server, '/token', { grant_type: 'client_credentials', scope }, basic(client))
    expect(use((await tokenFor('bills:read')).body)).toEqual({ aud: BILLS, scope: 'bills:read' })
    for (const scope of ['notes:read', 'bills:read notes:write'])
      expect([scope, (await tokenFor(scope)).body.access_token?.includes('.') ?? false]).toEqual([
        scope,
        false,
      ])
  })
})

describe('consent to an API that is not named', () => {
  it('CL-05 names it in words, is remembered, and its end ends all', async () => {
    const client = await createClient(server, {
      ...OURS,
      scopes: [...OURS.scopes, 'offline_access'],
    })
    const person = await createAccount(server)
    const browser = new Browser(server.origin)
    const ask = (change: Fields = {}) =>
      browser.visit(
        authorizationUrl(server, client.clientId, {
          scope: 'openid notes:read offline_access',
          ...change,
        }),
      )
    await ask({ scope: 'openid' })
    await signIn(browser, person.email)
    await browser.submit('/consent', {}, { button: 'allow' })
    const silent = await ask({ prompt: 'none' })
    expect(silent.url.searchParams.get('error')).toBe('consent_required')
    const { step, words } = await ask()
    expect(step).toBe('consent')
    for (const each of ['Notes', 'Read your notes']) expect(words).toContain(each)
    expect(words).not.toContain('notes:read')
    await browser.submit('/consent', {}, { button: 'allow' })
    const { url } = await ask({ prompt: 'none' })
    const app = await signedInApp(server)
    const code = url.searchParams.get('code') ?? ''
    const { body } = await app.redeem(code, {}, basic(client))
    expect(use(body).aud).toBe(NOTES)
    const apps = await browser.visit('/account/apps')
    const form = apps.forms.find(({ fields }) => fields.some(({ name }) => name === 'client_id'))
    await browser.submit(form ?? 'missing')
    const refused = await app.refresh(body.refresh_token, {}, basic(client))
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_grant'])
    expect((await ask()).step).toBe('consent')
  })
})

describe('audience', () => {
  it('RFC 8707 names an API like resource, at /auth and at the token endpoint', async () => {
    const app = await signedInApp(server, OURS)
    expect(use(await asked(app, { scope: 'openid notes:read', audience: NOTES })).aud).toBe(NOTES)
    const same = { scope: 'openid notes:read', audience: NOTES, resource: NOTES }
    const body = await asked(app, same)
    expect(use(body).aud).toBe(NOTES)
    expect(use((await app.refresh(body.refresh_token, { audience: NOTES })).body).aud).toBe(NOTES)
    const service = await createClient(server, { type: 'service', resources: [NOTES, BILLS] })
    const form = { grant_type: 'client_credentials', scope: 'notes:read', audience: NOTES }
    expect(use((await post(server, '/token', form, basic(service))).body).aud).toBe(NOTES)
  })

  it('RFC 8707 that says something else than resource is invalid_target', async () => {
    const app = await signedInApp(server, { resources: [NOTES, BILLS] })
    const { clientId } = app.client
    for (const change of [
      { resource: NOTES, audience: BILLS },
      { resource: NOTES, audience: 'unheard-of' },
      { resource: [NOTES, BILLS], audience: NOTES },
    ]) {
      const scope = 'openid notes:read'
      expect(await errorOf(clientId, { scope, ...change })).toBe('invalid_target')
      const service = await createClient(server, { type: 'service', resources: [NOTES, BILLS] })
      const form = { grant_type: 'client_credentials', ...change }
      const { status, body } = await post(server, '/token', form, basic(service))
      expect([status, body.error]).toEqual([400, 'invalid_target'])
    }
    // What is wrong is said, not what would be asked next.
    const nonced = await createClient(server, { resources: [NOTES], pkce: 'or_nonce' })
    const change = { resource: NOTES, audience: BILLS, code_challenge: undefined }
    expect(await errorOf(nonced.clientId, { ...change, code_challenge_method: undefined })).toBe(
      'invalid_target',
    )
    const { refresh_token: token } = await asked(app, { scope: 'openid notes:read' })
    const elsewhere = await app.refresh(token, { audience: BILLS })
    expect([elsewhere.status, elsewhere.body.error]).toEqual([400, 'invalid_target'])
  })

  it('RFC 8707 CL-01 is refused for an API of others, means nothing if there is no such API, and is there once', async () => {
    const app = await signedInApp(server, OURS)
    const { clientId } = app.client
    expect(await errorOf(clientId, { audience: BILLS })).toBe('invalid_target')
    expect(await errorOf(clientId, { audience: [NOTES, NOTES] })).toBe('invalid_request')
    for (const audience of ['unheard-of', account, `${server.origin}/userinfo`])
      expect(use(await asked(app, { scope: 'openid email', audience }))).toEqual({
        aud: 'userinfo',
        scope: 'openid email',
      })
  })
})
