import { parseEnv } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt, exportJWK, generateKeyPair } from 'jose'
import type { NewClient } from '../../src/clients/clients.ts'
import { type Preset, presetInput, presets } from '../../src/clients/presets.ts'
import { withProduct } from '../../src/commands/client-preset.ts'
import { startApi } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { operator } from '../support/operator.ts'
import { authorizationUrl, basic, get, post, signIn, VERIFIER } from '../support/protocol.ts'
import type { TestServer } from '../support/server.ts'

const URL_OF_APP = 'https://app.example.org'
const LIBRARIES = ['spring', 'quarkus', 'pac4j', 'authlib', 'keycloak-broker']
const ALL = [...presets()].map(([id, preset]) => ({ id, preset }))

let server: TestServer
const shell = operator()
let person: Awaited<ReturnType<typeof createAccount>>
beforeAll(async () => {
  server = await startApi()
  person = await createAccount(server)
  const { groups, memberships } = server.context
  for (const name of ['staff', 'others'])
    await memberships.add((await groups.create({ name })).id, person.id)
})
afterAll(() => server.stop())

const gatehouse = (...args: string[]) => shell.run(server, ['client', ...args])
const register = (preset: Preset, said: Partial<NewClient> = { groups: ['staff'] }) =>
  server.context.clients.create(presetInput(preset, URL_OF_APP, said) as NewClient)

describe('presets', () => {
  it('know forty products and five libraries, each from its manual', () => {
    const ids = ALL.map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining([...LIBRARIES, 'grafana', 'nextcloud', 'gitea']))
    expect(ids.length - LIBRARIES.length).toBeGreaterThanOrEqual(40)
    expect(ALL.filter(({ preset }) => !preset.manual.startsWith('https://'))).toEqual([])
  })

  it.each([
    ['nextcloud', ['https://app.example.org/apps/user_oidc/code']],
    ['gitea', ['https://app.example.org/user/oauth2/gatehouse/callback']],
    ['gitlab', ['https://app.example.org/users/auth/openid_connect/callback']],
    ['portainer', ['https://app.example.org/']],
    ['proxmox', ['https://app.example.org']],
    ['kubelogin', ['http://localhost:8000', 'http://localhost:18000']],
    ['pac4j', ['https://app.example.org/callback?client_name=OidcClient']],
  ])('%s is sent back where its manual says', async (id, redirects) => {
    const preset = presets().get(id)
    expect(preset && presetInput(preset, URL_OF_APP, {}).redirectUris).toEqual(redirects)
  })

  it.each(ALL)(
    '$id: its settings name the client, and nothing is left to fill in',
    async ({ preset }) => {
      const made = await register(preset)
      const chosen = { preset, url: URL_OF_APP, input: {} }
      const { lines } = withProduct({ lines: [], json: {} }, chosen, server.origin, made)
      const text = lines.join('\n')
      expect(text).toContain(made.client.id)
      expect(text).toContain(server.origin)
      if (preset.authMethod !== 'none') expect(text).toContain(made.secret)
      expect(text.replaceAll('role/<name>', '')).not.toMatch(/<[a-z_ ]+>/)
    },
  )

  /** As the product does it: with what it sends by its manual, and not more. */
  async function signInTo(preset: Preset) {
    const { client, secret } = await register(preset)
    const { registration } = await server.context.clients.get(client.id)
    const redirectUri = registration.redirectUris[0] ?? ''
    const hasChallenge = preset.pkce === 'required'
    const browser = new Browser(server.origin)
    await browser.visit(
      authorizationUrl(server, client.id, {
        redirect_uri: redirectUri,
        scope: preset.scopes.join(' '),
        ...(hasChallenge ? {} : { code_challenge: undefined, code_challenge_method: undefined }),
        ...(preset.pkce === 'optional' ? { nonce: undefined } : {}),
      }),
    )
    await signIn(browser, person.email)
    const { url } = await browser.submit('/consent', {}, { button: 'allow' })
    expect(url.href.startsWith(redirectUri)).toBe(true)
    const own = { client_id: client.id, client_secret: secret }
    const answer = await post(
      server,
      '/token',
      {
        grant_type: 'authorization_code',
        code: url.searchParams.get('code') ?? '',
        redirect_uri: redirectUri,
        ...(hasChallenge ? { code_verifier: VERIFIER } : {}),
        ...(preset.authMethod === 'client_secret_post' ? own : {}),
        ...(preset.authMethod === 'none' ? { client_id: client.id } : {}),
      },
      preset.authMethod === 'client_secret_basic'
        ? basic({ clientId: client.id, clientSecret: secret })
        : {},
    )
    return answer.body as Readonly<Record<string, string>>
  }

  it.each(ALL)(
    '$id: a person signs in with what it sends, and it learns what it needs',
    async ({ preset }) => {
      const tokens = await signInTo(preset)
      const { body: userinfo } = await get(new URL('/userinfo', server.origin), {
        authorization: `Bearer ${tokens['access_token']}`,
      })
      const hasEmail = preset.scopes.includes('email')
      expect(userinfo).toMatchObject({
        sub: person.id,
        name: person.name,
        ...(hasEmail ? { email: person.email } : {}),
      })
      expect(userinfo.groups).toEqual(preset.groups ? ['staff'] : undefined)
      const claims = decodeJwt(tokens['id_token'] ?? '')
      expect(claims['email']).toBe(preset.idTokenClaims && hasEmail ? person.email : undefined)
      expect(claims['groups']).toEqual(preset.groups === 'id_token' ? ['staff'] : undefined)
      expect(tokens['refresh_token'] !== undefined).toBe(preset.scopes.includes('offline_access'))
    },
  )

  it.each(LIBRARIES)(
    '%s: with a key its assertions may be as the library makes them',
    async (id) => {
      const preset = presets().get(id)
      if (!preset) throw new Error('it is not there')
      const { publicKey } = await generateKeyPair('RS256')
      const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256' }] }
      const { client, secret } = await register(preset, { jwks })
      const { registration } = await server.context.clients.get(client.id)
      expect(registration).toMatchObject({
        authMethod: 'private_key_jwt',
        assertionAudience: 'token-endpoint',
        assertionSeconds: id === 'authlib' ? 3600 : 300,
      })
      expect(secret).toBeUndefined()
    },
  )

  it('ask people for no groups that the app would not be told of', async () => {
    const [grafana] = ALL.filter(({ id }) => id === 'grafana')
    if (!grafana) throw new Error('it is not there')
    const scopes = async (said: Partial<NewClient>) =>
      (await server.context.clients.get((await register(grafana.preset, said)).client.id))
        .registration.scopes
    expect(await scopes({})).toEqual(['openid', 'profile', 'email'])
    expect(await scopes({ isFirstParty: true })).toContain('groups')
  })
})

describe('gatehouse client create --preset', () => {
  it('prints what is typed into the product, under its own names', async () => {
    const { code, stdout, stderr } = await gatehouse(
      ...`create --preset grafana --url ${URL_OF_APP}/grafana/ --groups staff`.split(' '),
    )
    const env = parseEnv(stdout)
    expect([code, stderr]).toEqual([0, ''])
    expect(env).toMatchObject({
      OIDC_REDIRECT_URI: `${URL_OF_APP}/grafana/login/generic_oauth`,
      OIDC_PKCE: 'required',
      GF_SERVER_ROOT_URL: `${URL_OF_APP}/grafana`,
      GF_AUTH_GENERIC_OAUTH_CLIENT_ID: env['OIDC_CLIENT_ID'],
      GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET: env['OIDC_CLIENT_SECRET'],
      GF_AUTH_GENERIC_OAUTH_SCOPES: 'openid profile email groups',
      GF_AUTH_GENERIC_OAUTH_AUTH_URL: `${server.origin}/auth`,
      GF_AUTH_GENERIC_OAUTH_TOKEN_URL: `${server.origin}/token`,
      GF_AUTH_GENERIC_OAUTH_API_URL: `${server.origin}/userinfo`,
    })
  })

  it('names fields of a form as comments, what is given up, and how groups are had', async () => {
    const { stdout, stderr } = await gatehouse(
      ...`create --preset gitea --url ${URL_OF_APP} --name Code`.split(' '),
    )
    const env = parseEnv(stdout)
    expect(stdout).toContain(`#   Client ID (Key): ${env['OIDC_CLIENT_ID']}\n`)
    expect(stdout).toContain('#   Authentication Name: gatehouse\n')
    expect(stderr).toMatch(/--pkce optional: nothing ties a code/)
    expect(stderr).toContain('Gitea can use groups: --groups names those that it may see')
  })

  it('sets nothing up for groups that the app would not be told of', async () => {
    const create = async (...groups: string[]) =>
      parseEnv(
        (await gatehouse('create', '--preset', 'bookstack', '--url', URL_OF_APP, ...groups)).stdout,
      )
    const told = { OIDC_ADDITIONAL_SCOPES: 'groups', OIDC_GROUPS_CLAIM: 'groups' }
    expect(await create('--groups', 'staff')).toMatchObject(told)
    expect(Object.keys(await create())).toEqual(
      expect.not.arrayContaining([expect.stringMatching(/OIDC_(ADDITIONAL_SCOPES|GROUPS_CLAIM)/)]),
    )
  })

  it('takes what is said besides, and says what it does not know', async () => {
    const { stdout } = await gatehouse(
      ...'create --preset tailscale --name Net --pkce required --json'.split(' '),
    )
    expect(JSON.parse(stdout)).toMatchObject({
      OIDC_PKCE: 'required',
      OIDC_REDIRECT_URI: 'https://login.tailscale.com/a/oauth_response',
      product: { title: 'Tailscale', settings: { 'Issuer URL': server.origin } },
    })
    for (const [args, said] of [
      [['--preset', 'grafana'], '--url: say where Grafana is, as people see it\n'],
      [
        ['--preset', 'grafna', '--url', URL_OF_APP],
        '--preset: nothing is known of grafna; "client presets" has them all\n',
      ],
      [
        ['--preset', 'grafana', '--url', 'grafana'],
        '--url: grafana is not the address of a web site\n',
      ],
      [['--name', 'x', '--url', URL_OF_APP], '--url: is for --preset\n'],
    ] as const)
      expect(await gatehouse('create', ...args)).toEqual({ code: 1, stdout: '', stderr: said })
  })

  it('lists them', async () => {
    const { stdout } = await gatehouse('presets')
    expect(stdout.split('\n')).toHaveLength(presets().size + 1)
    expect(stdout).toMatch(
      /^grafana\tGrafana\tclient_secret_basic\tPKCE required\tgroups: userinfo\thttps:/m,
    )
    expect(JSON.parse((await gatehouse('presets', '--json')).stdout)).toHaveLength(presets().size)
  })
})
