import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { sentencesOf } from '../../src/clients/reasons.ts'
import type { AppError } from '../../src/errors.ts'
import type { ProviderInput } from '../../src/upstream/provider-input.ts'
import { Browser } from '../support/browser.ts'
import { run as runCommand, type Settings } from '../support/commands.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount } from '../support/factories.ts'
import { LOOPBACK_CERTIFICATE } from '../support/loopback-certificate.ts'
import { operator } from '../support/operator.ts'
import { startServer } from '../support/server.ts'
import { FakeGitHub, GITHUB_CLIENT } from '../support/upstream/fake-github.ts'
import { HOSTILE_CLIENT, HostileOp } from '../support/upstream/hostile-op.ts'
import { useServer } from '../support/use-server.ts'

describe('gatehouse provider', () => {
  const shell = operator()
  const server = useServer({ config: { outgoing: { privateNetworks: [], loopback: true } } })
  const op = HostileOp.use()
  let env: Settings

  beforeAll(async () => {
    await writeFile(join(shell.folder, 'ca.pem'), LOOPBACK_CERTIFICATE)
    env = {
      ...shell.settings(server),
      OUTGOING_LOOPBACK_FOR_TESTS: 'true',
      NODE_EXTRA_CA_CERTS: join(shell.folder, 'ca.pem'),
    }
  })

  const provider = (words: string, stdin = '') =>
    runCommand(['provider', ...words.split(' ')], env, { stdin })
  const json = async (words: string, stdin = '') => {
    const { code, stdout, stderr } = await provider(`${words} --json`, stdin)
    expect([code, stderr]).toEqual([0, ''])
    return JSON.parse(stdout) as Record<string, unknown>
  }

  it('registers one, says what to register over there, and running servers have it at once', async () => {
    const made = await provider(
      `create --type oidc --id acme --name Acme --issuer ${op.issuer} --client-id ${HOSTILE_CLIENT.id} --client-secret-file - --email-trust domains --domain example.org`,
      `${HOSTILE_CLIENT.secret}\n`,
    )
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(made.stdout).toContain(`${server.origin}/upstream/acme/callback`)
    expect(made.stdout).toContain(`${server.origin}/upstream/acme/backchannel-logout`)
    expect(made.stdout).not.toContain(HOSTILE_CLIENT.secret)
    await eventually(async () => (await server.context.providers.find('acme'))?.name, 'Acme')
    expect(await json('show acme')).toMatchObject({
      id: 'acme',
      type: 'oidc',
      state: 'enabled',
      issuer: op.issuer,
      has_secret: true,
      email_trust: 'domains',
      domains: ['example.org'],
      sign_up: 'policy',
      redirect_uri: `${server.origin}/upstream/acme/callback`,
    })
    const { rows } = await server.context.database.pool.query<{ detail: object }>(
      `select "detail" from "audit_event" where "type" = 'provider_created'`,
    )
    expect(rows[0]?.detail).toMatchObject({
      by: 'operator',
      provider: 'acme',
      osUser: userInfo().username,
    })
  })

  it('asks the provider itself, and says what is wrong', async () => {
    expect(await json('check acme')).toEqual({
      id: 'acme',
      ok: true,
      issuer: op.issuer,
      client_known: true,
    })
    await provider('update acme --client-secret-file -', 'another secret')
    const wrong = await provider('check acme')
    expect(wrong).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('does not know this client'),
    })
    op.lies = { metadata: { issuer: 'https://other.example' } }
    expect((await provider('check acme')).stdout).toContain('another issuer')
    op.lies = {}
    await op.site[Symbol.asyncDispose]()
    expect(await provider('check acme')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('cannot be reached'),
    })
    await op.site.listen()
  })

  it('knows whether GitHub knows it', async () => {
    await using github = await FakeGitHub.open()
    const words = `create --type github --issuer ${github.issuer} --client-id ${GITHUB_CLIENT.id} --client-secret-file -`
    expect(await json(words, GITHUB_CLIENT.secret)).toMatchObject({ id: 'github', type: 'github' })
    expect(await json('check github')).toMatchObject({ ok: true, client_known: true })
    await provider('update github --client-secret-file -', 'wrong')
    expect(await provider('check github')).toMatchObject({ code: 1 })
  })

  it('disables, enables and changes, and tells every instance', async () => {
    expect(await json('disable acme')).toEqual({ id: 'acme', state: 'disabled' })
    await eventually(async () => await server.context.providers.find('acme'), undefined)
    expect(await json('enable acme')).toEqual({ id: 'acme', state: 'enabled' })
    await eventually(async () => (await server.context.providers.find('acme'))?.id, 'acme')
    expect(
      await json('update acme --name Company --trust-amr --no-domain --email-trust claim'),
    ).toMatchObject({
      name: 'Company',
      trust_amr: true,
      domains: [],
      email_trust: 'claim',
      version: 5,
    })
    const same = await provider('update acme --name Company')
    expect(same.stdout).toBe('acme is like that already.\n')
    expect((await json('list')) as unknown).toMatchObject([{ id: 'acme' }, { id: 'github' }])
  })

  it('takes Apple with the key of its console, and makes no start ask anybody', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const create = 'create --type apple --client-id org.example.signin --team-id ABCDE12345'
    expect(await json(`${create} --key-id ABC123DEFG --client-secret-file -`, pem)).toMatchObject({
      id: 'apple',
      issuer: 'https://appleid.apple.com',
      team_id: 'ABCDE12345',
    })
    await using second = await startServer({ database: { url: server.config.database.url } })
    expect(await second.context.providers.offered()).toHaveLength(3)
  })

  const named = { kind: 'google', clientId: 'x' } as const
  const anybodys = { kind: 'oidc', clientId: 'x', id: 'other' } as const
  const settings = { teamId: 'ABCDE12345', keyId: 'ABC123DEFG' }
  it.each<[string, ProviderInput, string, string]>([
    [
      'plain http',
      { ...anybodys, issuer: 'http://op.example' },
      'x',
      'issuer must be an https URL',
    ],
    [
      'a final slash',
      { ...anybodys, issuer: 'https://op.example/' },
      'x',
      'issuer must be an https',
    ],
    ['a host inside', { ...anybodys, issuer: 'https://10.0.0.1' }, 'x', 'issuer names a private'],
    ['no issuer', anybodys, 'x', 'issuer is needed'],
    [
      'another Google',
      { ...named, issuer: 'https://op.example' },
      'x',
      'issuer is always the same for Google',
    ],
    ['an empty secret', named, ' \n', 'secret is empty'],
    ['an id with capitals', { ...named, id: 'Google' }, 'x', 'id must be lower-case'],
    ['an id that is taken', { ...named, id: 'acme' }, 'x', 'id is taken'],
    [
      'a setting of another kind',
      { ...named, settings: { tenants: [] } },
      'x',
      'tenants is not known',
    ],
    ['no openid', { ...named, scopes: ['email'] }, 'x', 'scopes must include openid'],
    [
      'trust in no domain',
      { ...named, settings: { emailTrust: 'domains' } },
      'x',
      'domains at least one',
    ],
    [
      'a secret instead of a key',
      { kind: 'apple', clientId: 'x', id: 'pear', settings },
      'x',
      'secret must be a private key',
    ],
    ['no key id', { kind: 'apple', clientId: 'x', id: 'pear' }, 'x', 'keyId is needed'],
    [
      'a tenant by name',
      { kind: 'microsoft', clientId: 'x', settings: { tenants: ['common'] } },
      'x',
      'tenants.0 is not valid',
    ],
  ])('refuses %s', async (_what, input, secret, reason) => {
    const refusal: unknown = await server.context.providerStore
      .create(input, secret)
      .catch((error: unknown) => error)
    const sentences = Object.entries(sentencesOf(refusal as AppError)).map((each) => each.join(' '))
    expect(sentences.join(', ')).toContain(reason)
  })

  it('lets no two providers enforce one domain', async () => {
    const { providerStore } = server.context
    await providerStore.update('acme', {
      settings: { domains: ['example.org'], enforceForDomains: true },
    })
    const { code, stderr } = await provider(
      'update github --domain example.org --enforce-for-domains',
    )
    expect([code, stderr]).toEqual([
      1,
      '--domain: example.org: already enforced for the provider acme\n',
    ])
  })

  it('is kept from no change, nor people from signing in, by a row of another version', async () => {
    const { database, providers, providerStore } = server.context
    const odd = (id: string, kind: string, settings: object) =>
      database.pool.query(
        `insert into provider (id, kind, name, client_id, scopes, settings, position, version, created_at, updated_at)
         values ($1, $2, $1, 'x', '{openid}', $3, 1, 1, now(), now())`,
        [id, kind, settings],
      )
    const enforcing = { domains: ['example.net'], enforceForDomains: true }
    await odd('newer', 'google', { ...enforcing, ofTomorrow: true })
    await odd('strange', 'facebook', enforcing)
    await providerStore.update('github', { settings: enforcing })
    await eventually(async () => (await providers.enforcing('a@example.net'))?.id, 'github')
    const ids = (await providers.all()).map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(['acme', 'github']))
    expect(ids).not.toContain('newer')
    expect((await new Browser(server.origin).visit('/login')).step).toBe('login')
    await providerStore.update('github', { settings: { enforceForDomains: false } })
    await database.pool.query(`delete from provider where id in ('newer', 'strange')`)
  })

  it('deletes one only when nobody comes by it, or who does is moved to codes by mail and told', async () => {
    const { pool } = server.context.database
    const { id, email } = await createAccount(server)
    await pool.query(
      `insert into identity (id, account_id, provider_id, issuer, subject, linked_at, linked_by)
       values (gen_random_uuid(), $1, 'acme', 'https://op.example', '7', now(), 'sign_up')`,
      [id],
    )
    const refused = await provider('delete acme')
    expect([refused.code, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toContain('acme is connected to 1 account.')
    const withoutCodes = { ...env, SIGN_IN_METHODS: 'password' }
    const words = ['provider', 'delete', 'acme', '--move-to-email-code']
    expect(await runCommand(words, withoutCodes, {})).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Codes by mail are not offered'),
    })
    expect((await pool.query('select 1 from identity')).rowCount).toBe(1)
    expect(await server.context.providers.find('acme')).toBeDefined()

    const withCodes = { ...env, SIGN_IN_METHODS: 'password,email-code' }
    expect(await runCommand(words, withCodes, {})).toEqual({
      code: 0,
      stdout: 'acme is deleted. 1 account moved to codes by mail, and told.\n',
      stderr: '',
    })
    expect((await pool.query('select 1 from identity')).rowCount).toBe(0)
    expect((await server.inbox.next(email)).text).toContain('no longer uses Company')
    await eventually(async () => await server.context.providers.find('acme'), undefined)
    const { rows } = await pool.query<{ detail: object }>(
      `select "detail" from "audit_event" where "type" = 'provider_deleted'`,
    )
    expect(rows[0]?.detail).toMatchObject({ provider: 'acme', identities: 1, people: 1 })
    expect(await json('delete github')).toMatchObject({ id: 'github', deleted: true, people: 0 })
  })

  it('knows no other', async () => {
    expect(await provider('show nobody')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'There is no provider of that id. "provider list" has them all.\n',
    })
  })
})
