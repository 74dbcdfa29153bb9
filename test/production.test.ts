import { type ChildProcessByStdio, spawn } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { EnvSchema } from '../src/config/env.ts'
import { freePort } from '../src/embedded/free-port.ts'
import { createEmptyDatabase, type TestDatabase } from './support/database.ts'
import { isRoot, PERSON } from './support/users.ts'

type Process = ChildProcessByStdio<null, Readable, Readable>

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), '..')
const file = (name: string) => readFileSync(join(PROJECT, name), 'utf8')
const dockerfile = file('Dockerfile').replaceAll('\\\n', ' ')
const image = dockerfile.slice(dockerfile.lastIndexOf('FROM '))
const command = words(/^CMD (\[.+\])$/m)
const healthcheck = words(/^HEALTHCHECK .*CMD (\[.+\])$/m)
const copied = [...image.matchAll(/^COPY (?!--from)(\S+) \S+$/gm)].map(([, from = '']) => from)

function words(pattern: RegExp): string[] {
  return JSON.parse(pattern.exec(image)?.[1] ?? '[]') as string[]
}

describe('Dockerfile', () => {
  it('makes a small image: node:24-slim, production dependencies without install scripts, nothing but what runs', () => {
    expect(image).toMatch(/^FROM node:24-slim\n/)
    expect(dockerfile).toMatch(/npm ci --omit=dev --omit=optional --ignore-scripts/)
    expect(copied).toEqual(['package.json', 'bin', 'migrations', 'views', 'src'])
    expect(image).not.toMatch(/^(ADD|ARG|RUN)|apt-get/m)
  })

  it('CF-05 runs as a user who is not root and owns nothing', () => {
    expect(image).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m)
    expect(image).not.toMatch(/--chown/)
  })

  it('G14 starts as npm start does: with the same bounds on garbage', () => {
    const [, command = '[]'] = /^CMD (\[.*\])$/m.exec(image) ?? []
    const { start } = (JSON.parse(file('package.json')) as { scripts: { start: string } }).scripts
    expect((JSON.parse(command) as string[]).join(' ')).toBe(start)
    for (const flag of ['--heap-growing-percent', '--expose-gc']) expect(start).toContain(flag)
  })

  it('ignores all files but those that the build copies', () => {
    const allowed = file('.dockerignore').trim().split('\n')
    expect(allowed[0]).toBe('*')
    const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      ([, from = '']) => from.split(' '),
    )
    expect(new Set(allowed.slice(1))).toEqual(new Set(sources.map((source) => `!${source}`)))
  })

  it('compiles argon2 for each level of x86-64, there only, where the server looks for it', () => {
    expect(dockerfile).toMatch(
      /if \[ "\$\(uname -m\)" = x86_64 \]; then for MARCH in x86-64-v3 x86-64-v4; do +MARCH=\$MARCH npm run native/,
    )
    expect(dockerfile).toMatch(/native\/\$MARCH\/build\/Release\//)
    expect(image).toMatch(/^WORKDIR \/app\n(.*\n)*COPY --from=build \/app\/native native$/m)
    expect(file('package.json')).toMatch(
      /"native": ".*-march=\$\{MARCH:-native\}.*node-gyp rebuild/,
    )
  })
})

describe('docker-compose.yml', () => {
  const compose = file('docker-compose.yml')
  /** The text under a key of the first or second level. */
  const section = (name: string, indent = '  ') =>
    new RegExp(`^${indent}${name}:\\n((?:${indent} .*\\n|\\n)+)`, 'm').exec(compose)?.[1] ?? ''
  const services = {
    gatehouse: section('gatehouse'),
    postgres: section('postgres'),
    redis: section('redis'),
  }

  it('has Gatehouse, PostgreSQL 17 and Redis 7 without eviction, each on a read-only file system and with a health check', () => {
    expect(services.postgres).toMatch(/image: postgres:17$/m)
    expect(services.redis).toMatch(/image: redis:7$/m)
    expect(services.redis).toMatch(/--maxmemory-policy noeviction/)
    for (const service of Object.values(services)) expect(service).toMatch(/^ {4}read_only: true$/m)
    for (const service of [services.postgres, services.redis])
      expect(service).toMatch(/^ {4}healthcheck:$/m)
    for (const name of ['postgres', 'redis'])
      expect(services.gatehouse).toMatch(new RegExp(`${name}: \\{ condition: service_healthy \\}`))
  })

  it('CF-03 holds no secret and no default for one: files only, and what is missing stops it', () => {
    expect(compose).not.toMatch(/(PASSWORD|SECRET|KEYS?|_URL): /)
    const declared = [
      ...section('secrets', '').matchAll(/^ {2}(\w+): \{ file: \.\/secrets\/(\w+) \}$/gm),
    ].map(([, name, path]) => [name, path])
    expect(declared.every(([name, path]) => name === path)).toBe(true)
    const used = Object.values(services).flatMap(
      (service) => /^ {4}secrets: \[(.+)\]$/m.exec(service)?.[1]?.split(', ') ?? [],
    )
    expect(new Set(declared.map(([name]) => name))).toEqual(new Set(used))
    for (const name of ['ISSUER', 'MAIL_FROM'])
      expect(services.gatehouse).toMatch(new RegExp(`${name}: \\$\\{${name}:\\?`))
    expect(file('.gitignore')).toMatch(/^\/secrets\/$/m)
  })

  it('publishes Gatehouse on loopback only, and the stores not at all', () => {
    expect([...compose.matchAll(/^ +ports: (.+)$/gm)].map(([, ports]) => ports)).toEqual([
      expect.stringMatching(/^\["127\.0\.0\.1:/),
    ])
    for (const service of [services.postgres, services.redis])
      expect(service).toMatch(/^ {4}networks: \[back\]$/m)
    expect(section('back')).toMatch(/internal: true/)
  })

  it('sets only settings that exist', () => {
    const set = [...services.gatehouse.matchAll(/^ {6}([A-Z_]+): /gm)].map(([, name = '']) =>
      name.replace(/_FILE$/, ''),
    )
    expect(set.length).toBeGreaterThan(5)
    expect(set.filter((name) => !(name in EnvSchema.shape))).toEqual([])
  })
})

describe('the command of the image, in production', () => {
  const issuer = 'https://id.example.com'
  let database: TestDatabase
  let root: string
  let port: number
  let server: Process
  let output: Promise<string>

  /** What the image holds, and secrets as compose mounts them: not writable by the user who runs it. */
  beforeAll(async () => {
    database = await createEmptyDatabase()
    root = mkdtempSync(join(tmpdir(), 'gatehouse-image-'))
    for (const name of copied) cpSync(join(PROJECT, name), join(root, name), { recursive: true })
    linkProductionModules()
    const secrets = {
      database_url: database.url,
      cookie_keys: key('c'),
      key_encryption_keys: key('e'),
      smtp_url: 'smtp://127.0.0.1:9',
    }
    mkdirSync(join(root, 'secrets'))
    for (const [name, value] of Object.entries(secrets))
      writeFileSync(join(root, 'secrets', name), `${value}\n`, { mode: 0o444 })
    chmodSync(root, isRoot ? 0o755 : 0o555)
    port = await freePort()
    server = run(command)
    output = Promise.all([text(server.stdout), text(server.stderr)]).then((streams) =>
      streams.join(''),
    )
    await untilAnswered()
  })
  afterAll(async () => {
    server?.kill('SIGKILL')
    await database?.drop()
    chmodSync(root, 0o755)
    rmSync(root, { recursive: true, force: true })
  })

  it('migrates an empty database, and answers for the host of its issuer and to the health check', async () => {
    expect(await get('/health/live', `127.0.0.1:${port}`)).toMatchObject({ status: 200 })
    expect(await get('/health/ready', `127.0.0.1:${port}`)).toMatchObject({ status: 200 })
    const discovery = await get('/.well-known/openid-configuration', 'id.example.com')
    expect(discovery.status).toBe(200)
    expect(JSON.parse(discovery.body)).toMatchObject({
      issuer,
      token_endpoint: expect.stringMatching(/^https:\/\/id\.example\.com\//),
    })
  })

  it('passes the health check of the image', async () => {
    const check = run(healthcheck)
    expect(await new Promise((resolve) => check.once('exit', resolve))).toBe(0)
  })

  it.each(['/demo', '/dev/inbox'])('has no %s', async (path) => {
    expect(await get(path, 'id.example.com')).toMatchObject({ status: 404 })
  })

  it('CF-03 refuses to start without its settings, all named at once, with exit code 1', async () => {
    const refused = run(command, { NODE_ENV: 'production', PATH: '' })
    const said = text(refused.stderr)
    expect(await new Promise((resolve) => refused.once('exit', resolve))).toBe(1)
    for (const name of ['ISSUER', 'DATABASE_URL', 'COOKIE_KEYS', 'KEY_ENCRYPTION_KEYS', 'SMTP_URL'])
      expect(await said).toContain(`${name}:`)
  })

  it('F25 stops on SIGTERM without dropping a request of kept connections, with exit code 0, and has told no secret', async () => {
    const exit = new Promise((resolve) => server.once('exit', resolve))
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    const load = {
      until: Number.POSITIVE_INFINITY,
      answered: 0,
      closing: 0,
      dropped: [] as unknown[],
    }
    const caller = async () => {
      while (Date.now() < load.until) {
        const answer = await get(
          '/.well-known/openid-configuration',
          'id.example.com',
          agent,
        ).catch((error: unknown) => {
          load.dropped.push(error)
          return undefined
        })
        load.answered += answer?.status === 200 ? 1 : 0
        load.closing += answer?.connection === 'close' ? 1 : 0
        await sleep(5)
      }
    }
    const callers = Array.from({ length: 8 }, caller)
    await sleep(300)
    expect(load).toMatchObject({ closing: 0, dropped: [] })
    server.kill('SIGTERM')
    await sleep(100)
    // What a balancer sees; it sends nothing more soon after.
    expect(await get('/health/ready', '127.0.0.1')).toMatchObject({ status: 503 })
    load.until = Date.now() + 2000
    await Promise.all(callers)
    agent.destroy()
    expect(load.dropped).toEqual([])
    expect(load.answered).toBeGreaterThan(50)
    expect(load.closing).toBeGreaterThan(8)
    expect(await exit).toBe(0)
    for (const secret of [key('c'), key('e'), new URL(database.url).password])
      expect(await output).not.toContain(secret)
  })

  function run([program, ...args]: string[], env = environment()): Process {
    expect(program).toBe('node')
    return spawn(process.execPath, args, {
      cwd: root,
      env,
      ...PERSON,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  function environment(): Record<string, string> {
    const of = (name: string) => join(root, 'secrets', name)
    return {
      NODE_ENV: 'production',
      // The modules are links into node_modules with development packages: those must not be found
      // through them.
      NODE_OPTIONS: '--preserve-symlinks --preserve-symlinks-main',
      ISSUER: issuer,
      PORT: String(port),
      DATABASE_URL_FILE: of('database_url'),
      COOKIE_KEYS_FILE: of('cookie_keys'),
      KEY_ENCRYPTION_KEYS_FILE: of('key_encryption_keys'),
      SMTP_URL_FILE: of('smtp_url'),
    }
  }

  /** As `npm ci --omit=dev --omit=optional` leaves them. */
  function linkProductionModules(): void {
    const { packages } = JSON.parse(file('package-lock.json')) as {
      packages: Record<string, { dev?: true; optional?: true; devOptional?: true }>
    }
    for (const [path, { dev, optional, devOptional }] of Object.entries(packages)) {
      if (dev || optional || devOptional || !/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path)) continue
      mkdirSync(dirname(join(root, path)), { recursive: true })
      symlinkSync(join(PROJECT, path), join(root, path))
    }
  }

  async function untilAnswered(): Promise<void> {
    while (server.exitCode === null) {
      const answer = await get('/health/live', '127.0.0.1').catch(() => undefined)
      if (answer) return
      await sleep(20)
    }
    throw new Error(`it ended with ${server.exitCode}: ${await output}`)
  }

  function get(path: string, host: string, agent: Agent | false = false) {
    return new Promise<{
      status: number | undefined
      body: string
      connection: string | undefined
    }>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, headers: { host }, agent })
      sent.on('response', (response) => {
        const { statusCode: status, headers } = response
        text(response).then(
          (body) => resolve({ status, body, connection: headers.connection }),
          reject,
        )
      })
      sent.on('error', reject).end()
    })
  }
})

/** 43 characters that are no example. */
function key(seed: string): string {
  return Buffer.from(
    Array.from({ length: 32 }, (_, i) => (i * 37 + seed.charCodeAt(0)) % 256),
  ).toString('base64url')
}
