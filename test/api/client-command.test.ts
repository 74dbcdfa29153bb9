import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as oidc from 'openid-client'
import { warnOfKeptClients } from '../../src/announce.ts'
import { freePort } from '../../src/embedded/free-port.ts'
import type { Logger } from '../../src/logger/logger.ts'
import { Browser } from '../support/browser.ts'
import { CLI } from '../support/commands.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { storeOddClient } from '../support/odd-clients.ts'
import { operator } from '../support/operator.ts'
import { signIn } from '../support/protocol.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
const shell = operator()

beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const gatehouse = (...args: string[]) => shell.run(server, args)

/** The words that register an app, with some options. */
const webWith = (...options: string[]) => [
  'client',
  'create',
  '--name',
  'x',
  '--redirect',
  'https://a.example/',
  ...options,
]
const spaWith = (...options: string[]) => webWith('--type', 'spa', ...options)

describe('gatehouse client', () => {
  it('prints an .env file and nothing else, and a server that is running knows the client at once', async () => {
    const { code, stdout, stderr } = await gatehouse(
      'client',
      'create',
      '--name',
      'My app',
      '--redirect',
      'https://app.example.com/callback',
    )
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^(OIDC_[A-Z_]+=(\S+|'[^']+')\n){15}$/)
    const env = parseEnv(stdout)
    expect(env).toMatchObject({
      OIDC_ISSUER: server.origin,
      OIDC_REDIRECT_URI: 'https://app.example.com/callback',
    })
    expect(env['OIDC_CLIENT_SECRET']).toMatch(/^[\w-]{43}$/)
    const registered = (await server.context.clients.list()).find(
      ({ id }) => id === env['OIDC_CLIENT_ID'],
    )
    expect(registered).toMatchObject({ name: 'My app' })
  })

  it('registers an API and a service that gets tokens for it', async () => {
    const api = await gatehouse(
      'resource',
      'create',
      '--identifier',
      'https://notes.example/',
      '--name',
      'Notes',
      '--scope',
      'notes:read notes:write',
    )
    expect(api).toEqual({
      code: 0,
      stderr: '',
      stdout: `OIDC_AUDIENCE=https://notes.example/\nOIDC_SCOPE='notes:read notes:write'\n`,
    })
    expect((await gatehouse('resource', 'list')).stdout).toBe(
      'https://notes.example/\t600\tnotes:read notes:write\tNotes\n',
    )

    const options = [
      '--type',
      'service',
      '--resource',
      'https://notes.example/',
      '--scope',
      'notes:read',
    ]
    const { stdout } = await gatehouse('client', 'create', '--name', 'Export', ...options)
    const env = parseEnv(stdout)
    expect(Object.keys(env).toSorted()).toEqual([
      'OIDC_CLIENT_AUTH_METHOD',
      'OIDC_CLIENT_ID',
      'OIDC_CLIENT_SECRET',
      'OIDC_ISSUER',
      'OIDC_TOKEN_ENDPOINT',
    ])
    const method = oidc.ClientSecretBasic(env['OIDC_CLIENT_SECRET'] ?? '')
    const insecure = { execute: [oidc.allowInsecureRequests] }
    const app = await oidc.discovery(
      new URL(env['OIDC_ISSUER'] ?? ''),
      env['OIDC_CLIENT_ID'] ?? '',
      {},
      method,
      insecure,
    )
    expect(
      await oidc.clientCredentialsGrant(app, {
        resource: 'https://notes.example/',
        scope: 'notes:read',
      }),
    ).toMatchObject({
      scope: 'notes:read',
      expires_in: 600,
    })
  })

  it('UX-31 registers an API with words for its scopes, described and plain ones mixed', async () => {
    const named = ['--identifier', 'https://words.example/', '--name', 'My words']
    const create = (...scopes: string[]) =>
      gatehouse('resource', 'create', ...named, '--scope', ...scopes)
    expect(await create('a=Read a b=Write b')).toEqual({
      code: 1,
      stdout: '',
      stderr:
        '--scope: "a=Read a b=Write b" describes more than one scope; give each of them a value of its own\n',
    })
    expect(await create('=Read')).toMatchObject({
      code: 1,
      stderr: '--scope: "=Read" describes no scope\n',
    })
    expect(await create('words:list', 'words:read=')).toMatchObject({
      code: 1,
      stderr:
        '--scope (value 2): its description is empty, longer than 100 characters or cannot be shown\n',
    })
    expect(
      await create('words:list words:find', 'words:read=Read your  words', 'words:write = Write'),
    ).toEqual({
      code: 0,
      stderr: '',
      stdout: `OIDC_AUDIENCE=https://words.example/\nOIDC_SCOPE='words:list words:find words:read words:write'\n`,
    })
    const { stdout } = await gatehouse('resource', 'list')
    expect(stdout.split('\n')).toContain(
      'https://words.example/\t600\twords:list words:find words:read words:write\tMy words\twords:read=Read your  words\twords:write=Write',
    )
    const list = JSON.parse((await gatehouse('resource', 'list', '--json')).stdout) as object[]
    expect(list).toContainEqual({
      identifier: 'https://words.example/',
      access_token_seconds: 600,
      scopes: ['words:list', 'words:find', 'words:read', 'words:write'],
      scope_descriptions: { 'words:read': 'Read your  words', 'words:write': 'Write' },
      name: 'My words',
    })
  })

  it('registers an app for the account API, whose tokens open it, and no service', async () => {
    const accountApi = `${server.origin}/api/auth`
    const redirect = 'https://panel.example.com/callback'
    const options = ['--name', 'Panel', '--first-party', '--redirect', redirect, '--account-api']
    const { code, stdout, stderr } = await gatehouse('client', 'create', ...options)
    expect([code, stderr]).toEqual([0, ''])
    const env = parseEnv(stdout)
    const [clientId, clientSecret] = [env['OIDC_CLIENT_ID'] ?? '', env['OIDC_CLIENT_SECRET'] ?? '']
    const app = await relyingParty(server, { clientId, clientSecret, redirectUri: redirect })
    const browser = new Browser(server.origin)
    const { email } = await createAccount(server)
    await browser.visit(app.authorizationUrl({ scope: 'openid account', resource: accountApi }))
    const { url } = await signIn(browser, email)
    const { access_token: token } = await app.redeem(url, { resource: accountApi })
    const me = await send(`${accountApi}/user/me`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    })
    expect([me.status, await me.json()]).toMatchObject([200, { user: { email } }])

    const create = ['client', 'create', '--name', 'x'] as const
    expect(await gatehouse(...create, '--type', 'service', '--account-api')).toEqual({
      code: 1,
      stdout: '',
      stderr: '--account-api: a service has no person whose account it could manage\n',
    })
    expect(await gatehouse(...create, '--redirect', redirect, '--resource', accountApi)).toEqual({
      code: 1,
      stdout: '',
      stderr: `--resource: ${accountApi} is the account API: --account-api\n`,
    })
  })

  it('AZ-01 gives the reason for every bad redirect on stderr, prints nothing and ends with 1', async () => {
    const redirects = [
      'https://app.example.com/#x',
      'https://*.example.com/',
      'https://u:p@app.example.com/',
      'javascript:alert(1)',
    ]
    redirects.push(
      'http://app.example.com/',
      'https://app.example.com/../x',
      'https://app.example.com\\x',
    )
    const before = (await server.context.clients.list()).length
    expect(await gatehouse('client', 'create', '--name', 'x', '--redirect', ...redirects)).toEqual({
      code: 1,
      stdout: '',
      stderr: [
        '--redirect (value 1): contains a fragment',
        '--redirect (value 2): contains a wildcard',
        '--redirect (value 3): contains a user name or password',
        '--redirect (value 4): uses the scheme javascript:',
        '--redirect (value 5): is plain http; only localhost, 127.0.0.1 and [::1] may be',
        '--redirect (value 6): contains a dot segment (".." or ".")',
        '--redirect (value 7): contains a backslash',
        '',
      ].join('\n'),
    })
    expect(await server.context.clients.list()).toHaveLength(before)
  })

  it.each<[string, string[], RegExp]>([
    ['no name', ['client', 'create', '--redirect', 'https://a.example/'], /--name/],
    ['an unknown type', ['client', 'create', '--name', 'x', '--type', 'desktop'], /--type/],
    [
      'an unknown option',
      ['client', 'create', '--name', 'x', '--require-pkce', 'false'],
      /unknown option/,
    ],
    ['a leeway that is no number', webWith('--refresh-leeway', 'ten'), /^--refresh-leeway/],
    [
      'a long leeway of an app without a secret',
      spaWith('--refresh-leeway', '11'),
      /^--refresh-leeway: at most 10/,
    ],
    [
      'an app without a secret that does not rotate',
      spaWith('--refresh-rotation', 'never'),
      /^--refresh-rotation: must be always/,
    ],
    [
      'keys that are not there',
      ['client', 'create', '--name', 'x', '--jwks', '/nowhere.json'],
      /^--jwks: \/nowhere.json is not/,
    ],
    [
      'a client that is not there',
      ['client', 'disable', 'nobody'],
      /^There is no client of that id/,
    ],
    [
      'an identifier with a fragment',
      ['resource', 'create', '--identifier', 'https://a.example/#x', '--name', 'x', '--scope', 'x'],
      /^--identifier/,
    ],
  ])('ends with 1 and the reason for %s', async (_what, args, reason) => {
    const { code, stdout, stderr } = await gatehouse(...args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(reason)
    expect(stderr).not.toMatch(/ at .*\.ts:/)
  })

  it('takes public keys from a file', async () => {
    const file = join(shell.folder, 'jwks.json')
    const { publicKey } = await crypto.subtle.generateKey(
      { name: 'ECDSA', namedCurve: 'P-256' },
      true,
      ['sign', 'verify'],
    )
    await writeFile(
      file,
      JSON.stringify({
        keys: [{ ...(await crypto.subtle.exportKey('jwk', publicKey)), kid: 'k1' }],
      }),
    )
    const options = [
      '--redirect',
      'https://a.example/',
      '--auth-method',
      'private_key_jwt',
      '--jwks',
      file,
    ]
    const { stdout } = await gatehouse('client', 'create', '--name', 'Keyed', ...options)
    const { OIDC_CLIENT_ID: _random, ...printed } = parseEnv(stdout)
    expect(printed).toEqual({
      OIDC_ISSUER: server.origin,
      OIDC_REDIRECT_URI: 'https://a.example/',
      OIDC_CLIENT_AUTH_METHOD: 'private_key_jwt',
      OIDC_SCOPE: 'openid profile email offline_access',
      OIDC_PKCE: 'required',
      OIDC_CODE_CHALLENGE_METHOD: 'S256',
      OIDC_ID_TOKEN_ALG: 'RS256',
      OIDC_DISCOVERY: `${server.origin}/.well-known/openid-configuration`,
      OIDC_AUTHORIZATION_ENDPOINT: `${server.origin}/auth`,
      OIDC_TOKEN_ENDPOINT: `${server.origin}/token`,
      OIDC_USERINFO_ENDPOINT: `${server.origin}/userinfo`,
      OIDC_JWKS_URI: `${server.origin}/jwks`,
      OIDC_END_SESSION_ENDPOINT: `${server.origin}/session/end`,
    })
  })

  it('CL-01 says which apps manage accounts, and turns it on and off', async () => {
    const { client } = await server.context.clients.create({
      name: 'Settled',
      redirectUris: ['https://a.example/'],
    })
    const state = async () =>
      (await gatehouse('client', 'list')).stdout
        .split('\n')
        .find((line) => line.startsWith(client.id))
    const plain = `${client.id}\tweb\tenabled\tSettled`
    await server.context.database.pool.query(
      `update client set account_api = 'kept' where id = $1`,
      [client.id],
    )
    expect(await state()).toBe(
      `${plain}\taccount API, as before; settle it: client account-api <id> on|off`,
    )
    const told: unknown[] = []
    const logger = {
      warn: (fields: object, sentence: string) => told.push({ ...fields, sentence }),
    } as unknown as Logger
    await warnOfKeptClients({ clients: server.context.clients, logger })
    const sentence = `may go on managing accounts, as before: settle it with "gatehouse client account-api ${client.id} on" or "off"`
    expect(told).toEqual([
      { event: 'client.account_api_kept', clientId: client.id, name: 'Settled', sentence },
    ])
    expect(await gatehouse('client', 'account-api', client.id, 'on')).toEqual({
      code: 0,
      stdout: `${client.id} may be allowed to manage accounts.\n`,
      stderr: '',
    })
    expect(await state()).toBe(`${plain}\taccount API`)
    await gatehouse('client', 'account-api', client.id, 'off')
    expect(await state()).toBe(plain)
    expect((await gatehouse('client', 'account-api', client.id, 'perhaps')).stderr).toBe(
      'account-api: say "on" or "off".\n',
    )
  })

  it('CL-03 a start queues the logos of clients from before there were copies', async () => {
    const { clientId } = await storeOddClient(server, 'its logo is not public', {
      metadata: { logo_uri: 'https://10.0.0.1/logo.png' },
    })
    const started = spawn(process.execPath, [CLI, 'start'], {
      env: { ...shell.settings(server), PORT: String(await freePort()) },
      cwd: shell.folder,
      stdio: 'ignore',
    })
    const ended = once(started, 'exit')
    const failures = async () =>
      (
        await server.context.database.pool.query(
          `select m.last_error from outbox_message m, client c where c.id = $1
           and c.logo_queued_at is not null and m.topic = 'client_logo' and m.failed_at is not null`,
          [clientId],
        )
      ).rows[0]?.last_error as unknown
    await eventually(
      failures,
      'the logo cannot be fetched: the host is not on the public internet',
      60_000,
    )
    started.kill('SIGTERM')
    await ended
  })

  it('lists, disables, enables and gives a new secret', async () => {
    const { client, secret } = await server.context.clients.create({
      name: 'Looked after',
      redirectUris: ['https://a.example/'],
    })
    const state = async () =>
      (await gatehouse('client', 'list')).stdout
        .split('\n')
        .find((line) => line.startsWith(client.id))
    expect(await state()).toBe(`${client.id}\tweb\tenabled\tLooked after`)
    expect(await gatehouse('client', 'disable', client.id)).toEqual({
      code: 0,
      stdout: `${client.id} is disabled; its tokens have ended.\n`,
      stderr: '',
    })
    expect(await state()).toBe(`${client.id}\tweb\tdisabled\tLooked after`)
    await gatehouse('client', 'enable', client.id)
    const { stdout } = await gatehouse('client', 'rotate-secret', client.id)
    expect(stdout).toMatch(/^OIDC_CLIENT_SECRET=[\w-]{43}\n$/)
    expect(stdout).not.toContain(secret)
  })
})
