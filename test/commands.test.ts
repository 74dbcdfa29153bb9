import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { envAnswer } from '../src/commands/answer.ts'
import { randomSecret } from '../src/crypto/token.ts'
import { BARE, CLI, run as runCommand, type Settings, settingsFor } from './support/commands.ts'
import { createEmptyDatabase } from './support/database.ts'
import { createAccount } from './support/factories.ts'
import { startServer, type TestServer } from './support/server.ts'

// Every command is a process that starts cold; on a busy machine that takes seconds.
jest.setTimeout(180_000)

describe('commands', () => {
  let server: TestServer
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-commands-'))
    server = await startServer()
  })
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  const environment = (settings: Settings = {}) => ({ ...settingsFor(server, folder), ...settings })
  const run = (args: readonly string[], env = environment()) =>
    runCommand(args, env, { cwd: folder })
  const elsewhere = () => ({ ...BARE, DATA_DIR: join(folder, 'nothing') })

  it.each([
    ['client', 'list'],
    ['client', 'create', '--name', 'x', '--redirect', 'https://a.example/'],
    ['account', 'show', 'ada@example.org'],
    ['keys', 'rotate'],
    ['audit', 'verify'],
    ['resource', 'list'],
    ['migrate'],
  ])('where no server was started, %s %s says so and makes nothing', async (...args) => {
    const { code, stdout, stderr } = await run(args, elsewhere())
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^There is no Gatehouse in \/\S+nothing\. Set DATA_DIR .+\n$/)
    expect(existsSync(join(folder, 'nothing'))).toBe(false)
  })

  it('a database without secrets, and a database without tables, are told, and stay as they are', async () => {
    const withoutSecrets = { ...elsewhere(), DATABASE_URL: server.config.database.url }
    expect((await run(['client', 'list'], withoutSecrets)).stderr).toMatch(
      /^There is no Gatehouse in /,
    )
    const empty = await createEmptyDatabase()
    expect(await run(['client', 'list'], environment({ DATABASE_URL: empty.url }))).toEqual({
      code: 1,
      stdout: '',
      stderr: 'There is no Gatehouse in this database. Start the server on it first.\n',
    })
    expect(readdirSync(folder)).toEqual([])
    const { asAdmin } = await import('./support/postgres.ts')
    await asAdmin(empty.url, async (admin) => {
      expect(
        (await admin.query(`select from pg_tables where schemaname = 'public'`)).rowCount,
      ).toBe(0)
    })
    await empty.drop()
  })

  it('CF-04 with other encryption keys than the server has, a command is refused before it seals anything', async () => {
    const listed = async () => (await run(['keys', 'list'])).stdout
    const before = await listed()
    const strange = environment({ KEY_ENCRYPTION_KEYS: randomSecret() })
    for (const words of [
      ['keys', 'rotate'],
      ['invite', 'ada@example.org'],
      ['client', 'list'],
    ])
      expect(await run(words, strange)).toEqual({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^KEY_ENCRYPTION_KEYS: the key that encrypted .+\n$/),
      })
    expect(await listed()).toBe(before)
  })

  it('JW-07 in a database that was only migrated, keys rotate leaves a key that signs', async () => {
    const database = await createEmptyDatabase()
    const env = environment({ DATABASE_URL: database.url })
    expect((await run(['migrate'], env)).code).toBe(0)
    expect((await run(['keys', 'rotate', '--alg', 'ES256'], env)).code).toBe(0)
    const states = (await run(['keys', 'list'], env)).stdout
      .split('\n')
      .filter((line) => line.startsWith('ES256'))
      .map((line) => line.split('\t')[1])
    expect(states).toHaveLength(2)
    expect(states).toContain('signing')
    await database.drop()
  })

  it('keys rotate --emergency replaces all four keys, whether or not somebody reads what it says', async () => {
    const command = `"${process.execPath}" "${CLI}" keys rotate --emergency | head -1`
    const { stdout } = await promisify(execFile)('sh', ['-c', command], {
      env: environment(),
      cwd: folder,
    })
    expect(stdout.trim().split('\n')).toHaveLength(1)
    const gone = spawn(process.execPath, [CLI, 'keys', 'rotate', '--emergency'], {
      env: environment(),
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    gone.stdout.destroy()
    expect([
      await new Promise((resolve) => gone.once('exit', resolve)),
      await text(gone.stderr),
    ]).toEqual([0, ''])
    const { rows } = await server.context.database.pool.query(
      `select alg from signing_key where created_at > now() - interval '5 minutes' and retired_at is null order by alg`,
    )
    expect(rows.map(({ alg }: { alg: string }) => alg)).toEqual([
      'ES256',
      'EdDSA',
      'PS256',
      'RS256',
    ])
    const replaced = `select from audit_event where type = 'key_rotated' and detail ->> 'isEmergency' = 'true'`
    expect((await server.context.database.pool.query(replaced)).rowCount).toBe(8)
  })

  it('audit export ends when nobody reads on', async () => {
    for (let event = 0; event < 3000; event += 1)
      server.context.audit.record({ type: 'sign_in', detail: { door: 'api', n: event } })
    await server.context.audit.flush()
    const command = `"${process.execPath}" "${CLI}" audit export | head -1`
    const { stdout } = await promisify(execFile)('sh', ['-c', command], {
      env: environment(),
      cwd: folder,
    })
    expect(JSON.parse(stdout)).toMatchObject({ seq: expect.anything() })
  })

  it('--json: every command that prints says the same to programs', async () => {
    const { email, id } = await createAccount(server)
    const { client } = await server.context.clients.create({
      name: 'App',
      redirectUris: ['https://a.example/'],
    })
    for (const [args, expected] of [
      [
        ['account', 'show', email],
        { id, email, status: 'active', mfa_enabled: false, sessions: 0 },
      ],
      [['account', 'disable', email], { id, email, status: 'disabled' }],
      [
        ['client', 'list'],
        expect.arrayContaining([
          expect.objectContaining({ id: client.id, type: 'web', state: 'enabled', name: 'App' }),
        ]),
      ],
      [['client', 'disable', client.id], { id: client.id, state: 'disabled' }],
      [
        ['client', 'rotate-secret', client.id],
        { OIDC_CLIENT_SECRET: expect.stringMatching(/^[A-Za-z0-9][\w-]{42}$/) },
      ],
      [['keys', 'list'], expect.arrayContaining([expect.objectContaining({ state: 'signing' })])],
      [
        ['audit', 'verify'],
        { rows: expect.any(Number), head: { hash: expect.stringMatching(/^[0-9a-f]{64}$/) } },
      ],
      [
        [
          'resource',
          'create',
          '--identifier',
          'https://n.example/',
          '--name',
          'N',
          '--scope',
          'r w',
        ],
        { OIDC_SCOPE: 'r w' },
      ],
      [['resource', 'list'], [{ identifier: 'https://n.example/', scopes: ['r', 'w'] }]],
      [['migrate'], { schema: 'current' }],
    ] as const) {
      const { code, stdout, stderr } = await run([...args, '--json'])
      expect([args, code, stderr]).toEqual([args, 0, ''])
      expect(stdout.trimEnd().split('\n')).toHaveLength(1)
      expect(JSON.parse(stdout)).toMatchObject(expected)
    }
  })
})

describe('settings for an app', () => {
  it('are lines that a shell reads as they are meant, and secrets begin with no dash', async () => {
    const settings = {
      A: 'https://a.example/cb?x=1&y=$HOME',
      B: 'read write',
      C: 'it\'s `id` "x"',
      D: 'plain-1.2_3',
      E: '#x',
      F: '',
    }
    const { lines, json } = envAnswer(settings)
    expect(json).toEqual(settings)
    const names = Object.keys(settings)
    const script = `${lines.join('\n')}\nprintf '%s\\n' ${names.map((name) => `"$${name}"`).join(' ')}`
    const { stdout } = await promisify(execFile)('sh', ['-c', script], { env: {} })
    expect(stdout.split('\n').slice(0, -1)).toEqual(Object.values(settings))
    for (let drawn = 0; drawn < 2000; drawn += 1)
      expect(randomSecret()).toMatch(/^[A-Za-z0-9][\w-]{42}$/)
  })
})
