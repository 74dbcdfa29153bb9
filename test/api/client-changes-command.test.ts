import { parseEnv } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Outcome } from '../support/commands.ts'
import { eventually } from '../support/eventually.ts'
import { send } from '../support/http.ts'
import { operator } from '../support/operator.ts'
import { basic } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
const shell = operator()
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const run = (words: readonly string[], stdin?: string) => shell.run(server, words, stdin)
const REDIRECT = 'https://shop.example.com/callback'
const create = (id: string, name: string) =>
  run(['client', 'create', '--id', id, '--name', name, '--redirect', REDIRECT])
const json = async (...words: string[]) =>
  JSON.parse((await run([...words, '--json'])).stdout) as Record<string, unknown>

describe('gatehouse client show, update and delete', () => {
  it('shows a client under the name that the operator gave it, and changes what is named', async () => {
    const created = await create('shop', 'Shop')
    expect(parseEnv(created.stdout)).toMatchObject({ OIDC_CLIENT_ID: 'shop' })
    const options = ['--no-require-mfa', '--first-party', '--id-token-alg', 'RS256']
    expect(await run(['client', 'update', 'shop', '--require-mfa', '--account-api'])).toEqual({
      code: 0,
      stdout: 'shop is changed (require-mfa, account-api), and is of version 2 now.\n',
      stderr: '',
    })
    expect(await json('client', 'update', 'shop', ...options, '--uri', REDIRECT)).toMatchObject({
      id: 'shop',
      version: 3,
      first_party: true,
      require_mfa: false,
      account_api: true,
      client_uri: REDIRECT,
    })
    await run(['client', 'update', 'shop', '--no-uri', '--no-account-api'])
    const { stdout, stderr } = await run(['client', 'show', 'shop'])
    expect(stderr).toBe('')
    const names = [
      'id version managed_by state account_api_kept created_at updated_at',
      'name type redirect_uris post_logout_redirect_uris allow_private_redirect grant_types',
      'response_modes auth_method pkce',
      'scopes resources first_party require_mfa registration account_api refresh_rotation id_token_alg',
      'id_token_claims at_hash backchannel_http',
    ]
    expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual([
      ...names.flatMap((line) => line.split(' ')),
      '',
    ])
    expect(stdout).toContain('grant_types\tauthorization_code refresh_token\n')
    expect(stdout).not.toContain('secret_digest')
  })

  it('says which ways in an app takes, and how strong a sign-in to it must be', async () => {
    await create('vault', 'Vault')
    const strong = ['--require-acr', 'phr', '--default-acr', 'phr', '2fa']
    const ways = ['--sign-in-method', 'passkey', '--provider', 'none']
    expect(await json('client', 'update', 'vault', ...strong, ...ways)).toMatchObject({
      require_acr: 'phr',
      default_acr_values: ['phr', '2fa'],
      sign_in_methods: ['passkey'],
      providers: [],
    })
    const back = await json('client', 'update', 'vault', '--no-require-acr', '--no-provider')
    expect([back['require_acr'], back['providers']]).toEqual([undefined, undefined])
    const wrong = await run(['client', 'update', 'vault', '--sign-in-method', 'palm'])
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toContain('Allowed choices are password, passkey, email-code')
  })

  it('what "show --json" prints, given to "update --from", changes nothing', async () => {
    const id = 'whole'
    await create(id, 'Whole')
    const { stdout } = await run(['client', 'show', id, '--json'])
    expect(await run(['client', 'update', id, '--from', '-'], stdout)).toEqual({
      code: 0,
      stdout: `${id} is like that already.\n`,
      stderr: '',
    })
    expect((await run(['client', 'show', id, '--json'])).stdout).toBe(stdout)
    const less = { ...(JSON.parse(stdout) as object), name: 'Less', scopes: ['openid'] }
    await run(['client', 'update', id, '--from', '-'], JSON.stringify(less))
    expect(await json('client', 'show', id)).toMatchObject({ name: 'Less', scopes: ['openid'] })
    expect(await run(['client', 'update', id, '--from', '-'], stdout)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'The client is of another version by now. See "client show", and change that one.\n',
    })
  })

  it.each<[string, string[], RegExp]>([
    [
      'a client that is not there',
      ['show', 'nobody'],
      /^There is no client of that id\. "client l/,
    ],
    ['nothing to change', ['update', 'nobody'], /^Say what to change/],
    [
      'a name that cannot be',
      ['create', '--id', 'a b', '--name', 'x', '--redirect', REDIRECT],
      /^--id: must be letters/,
    ],
    ['a file that is none', ['update', 'x', '--from', '/nowhere'], /^--from: \/nowhere is not/],
  ])('ends with 1 and says what to do about %s', async (_what, words, reason) => {
    const { code, stdout, stderr } = await run(['client', ...words])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(reason)
  })

  it('says what is wrong with a change in the words of its options', async () => {
    await create('strict', 'x')
    const words = ['client', 'update', 'strict', '--redirect', 'http://a.example/', '--no-name']
    expect((await run(words)).stderr).toMatch(/unknown option '--no-name'/)
    expect((await run(words.slice(0, -1))).stderr).toBe(
      '--redirect (value 1): is plain http; only localhost, 127.0.0.1 and [::1] may be\n',
    )
  })

  it('AZ-03 lets an app do without PKCE, and says on stderr what that gives up', async () => {
    const givenUp = /^--pkce optional: nothing ties a code .* keeps that tie\.\n$/
    const options = ['--name', 'Old', '--redirect', REDIRECT, '--pkce', 'optional']
    const created = await run(['client', 'create', '--id', 'old', ...options])
    expect([created.code, created.stderr]).toEqual([0, expect.stringMatching(givenUp)])
    expect(
      Object.keys(parseEnv(created.stdout)).filter((name) => !/^OIDC_\w+$/.test(name)),
    ).toEqual([])
    expect(created.stdout.split('\n').filter((line) => !/^(?:OIDC_\w+=.+)?$/.test(line))).toEqual(
      [],
    )
    expect((await run(['client', 'update', 'old', '--name', 'Older'])).stderr).toBe('')
    expect((await run(['client', 'update', 'old', '--pkce', 'or_nonce'])).stderr).toBe('')
    expect((await run(['client', 'update', 'old', '--pkce', 'optional'])).stderr).toMatch(givenUp)
    expect(await json('client', 'show', 'old')).toMatchObject({ pkce: 'optional' })
    const modes = ['--response-mode', 'query', 'fragment']
    expect(await run(['client', 'update', 'old', ...modes])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        '--response-mode: must not include fragment together with --pkce optional: every script of a page reads a code there, and nothing would protect it\n',
    })
    await run(['client', 'update', 'old', '--no-pkce', ...modes])
    expect(await json('client', 'show', 'old')).toMatchObject({
      pkce: 'required',
      response_modes: ['query', 'fragment'],
    })
  })

  it('AZ-01 shows that a client may have plain http in a private network, and takes it back with the address only', async () => {
    const [home, https] = ['http://nas.lan:8080/cb', 'https://nas.example.org/cb']
    const words = ['client', 'create', '--id', 'home', '--name', 'x', '--redirect', home]
    expect((await run(words)).stderr).toBe(
      '--redirect (value 1): is plain http in a private network, which --allow-private-redirect permits to an app that authenticates\n',
    )
    expect((await run([...words, '--allow-private-redirect'])).code).toBe(0)
    expect((await run(['client', 'show', 'home'])).stdout).toContain(
      'allow_private_redirect\ttrue\n',
    )
    const back = ['client', 'update', 'home', '--no-allow-private-redirect']
    expect((await run(back)).code).toBe(1)
    expect((await run([...back, '--redirect', https])).stdout).toMatch(/^home is changed/)
  })

  it('deletes a client and says so', async () => {
    await create('gone', 'x')
    expect((await run(['client', 'delete', 'gone', '--if-version', '7'])).code).toBe(1)
    expect(await run(['client', 'delete', 'gone'])).toEqual({
      code: 0,
      stdout:
        'gone is deleted; its grants and tokens have ended. Nobody had allowed it anything.\n',
      stderr: '',
    })
    expect((await run(['client', 'show', 'gone'])).code).toBe(1)
  })
})

describe('gatehouse resource show, update and delete', () => {
  const api = 'https://stock.example/'

  it('marks an API for userinfo, says what its tokens are like and who serves it, and takes it back', async () => {
    const marked = 'https://marked.example/'
    const wanted = ['--identifier', marked, '--name', 'Marked', '--scope', 'marked:read']
    await create('server-of-it', 'Its server')
    const more = ['--userinfo', '--token-typ', 'JWT', '--served-by', 'server-of-it']
    expect((await run(['resource', 'create', ...wanted, ...more])).code).toBe(0)
    expect(await json('resource', 'show', marked)).toMatchObject({
      userinfo: true,
      token_typ: 'JWT',
      served_by: 'server-of-it',
    })
    const back = ['--no-userinfo', '--token-typ', 'at+jwt', '--no-served-by']
    expect(await json('resource', 'update', marked, ...back)).toMatchObject({
      version: 2,
      userinfo: false,
      token_typ: 'at+jwt',
      served_by: null,
    })
    await run(['resource', 'update', marked, '--served-by', 'server-of-it'])
    await run(['client', 'delete', 'server-of-it'])
    expect(await json('resource', 'show', marked)).toMatchObject({ served_by: null })
    const own = ['--identifier', server.config.issuer, '--name', 'x', '--scope', 'x']
    expect((await run(['resource', 'create', ...own])).stderr).toBe(
      '--identifier: is a name of the server itself\n',
    )
  })

  it('shows an API with its clients, changes it, and deletes it once no client names it', async () => {
    const words = ['--scope', 'stock:read=Read the stock', 'stock:write']
    await run(['resource', 'create', '--identifier', api, '--name', 'Stock', ...words])
    const service = ['--type', 'service', '--resource', api]
    await run(['client', 'create', '--id', 'keeper', '--name', 'Keeper', ...service])
    expect(await json('resource', 'show', api)).toMatchObject({
      identifier: api,
      version: 1,
      scopes: ['stock:read', 'stock:write'],
      clients: ['keeper'],
    })
    expect(
      await json('resource', 'update', api, '--lifetime', '120', '--name', 'The stock'),
    ).toMatchObject({
      version: 2,
      access_token_seconds: 120,
      name: 'The stock',
      scope_descriptions: { 'stock:read': 'Read the stock' },
    })
    expect(await run(['resource', 'update', api, '--scope', 'stock:read'])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        '--scope: stock:write: listed by the clients keeper; take it from them first: client update <id> --scope …\n',
    })
    expect(await run(['resource', 'delete', api])).toEqual({
      code: 1,
      stdout: '',
      stderr: `--identifier: is named by the clients keeper; take it from them first: client update <id> --resource …\n`,
    })
    await run(['client', 'update', 'keeper', '--no-resource'])
    expect(await json('client', 'show', 'keeper')).toMatchObject({ resources: [], scopes: [] })
    expect(await run(['resource', 'delete', api])).toEqual({
      code: 0,
      stdout: `${api} is deleted; no token is issued for it any more.\n`,
      stderr: '',
    })
    expect((await run(['resource', 'show', api])).stderr).toMatch(/^There is no API/)
  })
})

describe('gatehouse client secret add, list and remove', () => {
  const secretOf = ({ stdout }: Outcome) => String(parseEnv(stdout)['OIDC_CLIENT_SECRET'])
  const statusWith = async (secret: string) => {
    const { status } = await send(`${server.origin}/token/introspection`, {
      method: 'POST',
      headers: {
        ...basic({ clientId: 'turning', clientSecret: secret }),
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: `token=${'a'.repeat(43)}`,
    })
    return status
  }
  const list = async () =>
    JSON.parse((await run(['client', 'secret', 'list', 'turning', '--json'])).stdout) as {
      id: string
      label: string | null
      expires_at: string | null
    }[]

  it('TK-07 changes a secret without a break: both are good, then the new one alone', async () => {
    const first = secretOf(await create('turning', 'Turning'))
    const added = await run([
      'client',
      'secret',
      'add',
      'turning',
      '--label',
      'May',
      '--days',
      '30',
    ])
    expect([added.code, added.stderr]).toEqual([0, ''])
    const second = secretOf(added)
    const both = async () => `${await statusWith(first)} ${await statusWith(second)}`
    await eventually(both, '200 200')
    const [newest, oldest] = await list()
    expect([newest?.label, oldest?.label]).toEqual(['May', null])
    expect(Date.parse(newest?.expires_at ?? '')).toBeGreaterThan(Date.now() + 29 * 86_400_000)
    const id = String(oldest?.id)
    expect(await run(['client', 'secret', 'remove', 'turning', id])).toEqual({
      code: 0,
      stdout: `The secret ${id} of turning has ended.\n`,
      stderr: '',
    })
    await eventually(both, '401 200')
  })

  it.each<[string, string[]]>([
    ['days that are no number', ['add', 'turning', '--days', 'ten']],
    ['no day', ['add', 'turning', '--days', '0']],
    ['more days than there are', ['add', 'turning', '--days', '99999999999']],
    ['days beyond all calendars', ['add', 'turning', '--days', '90000000']],
    ['a label of nothing', ['add', 'turning', '--label', '\u200b']],
    ['the last secret', ['remove', 'turning', 'LAST']],
    ['a secret that is not there', ['remove', 'turning', 'nothing']],
    ['a client that is not there', ['add', 'nobody']],
  ])('refuses %s in one line, and changes nothing', async (_, words) => {
    const before = await list()
    const last = String(before[0]?.id)
    const { code, stdout, stderr } = await run([
      'client',
      'secret',
      ...words.map((word) => (word === 'LAST' ? last : word)),
    ])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^[^\n]{5,200}\n$/)
    expect((await list()).map(({ id }) => id)).toEqual(before.map(({ id }) => id))
  })
})
