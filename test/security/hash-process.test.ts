import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { HASH_SLOTS } from '../../src/crypto/argon2.ts'
import { processorLevels } from '../../src/crypto/argon2-build.ts'
import { HashProcess } from '../../src/crypto/hash-process.ts'
import { PasswordHasher } from '../../src/crypto/password.ts'
import { createLogger } from '../../src/logger/logger.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount, createClient, createResource, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { basic } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

const COST = { memoryKib: 19_456, passes: 2 }
/** Long enough to be killed in the middle: about a second. */
const DEAR = { memoryKib: 262_144, passes: 8 }
const logger = createLogger('silent')
const onLinux = process.platform === 'linux' ? it : it.skip

function hasherOn(argon2: HashProcess, cost = COST): PasswordHasher {
  return new PasswordHasher({ ...cost, argon2 })
}

function pidOf(hashing: HashProcess | undefined): number {
  if (!hashing?.pid) throw new Error('the hash process does not run')
  return hashing.pid
}

/** The libraries of that name that the process has loaded. */
function argon2In(hashing: HashProcess): string[] {
  return [
    ...new Set(readFileSync(`/proc/${pidOf(hashing)}/maps`, 'utf8').match(/\/\S*argon2\S*\.node/g)),
  ]
}

describe('the hash process', () => {
  it('PW-07 computes what this process computes, with and without a pepper', async () => {
    await using hashing = new HashProcess({ logger })
    for (const peppers of [[], ['a pepper that is long enough for its use']]) {
      const apart = new PasswordHasher({ ...COST, argon2: hashing, peppers })
      const here = new PasswordHasher({ ...COST, peppers })
      expect(await here.verify(await apart.hash(PASSWORD), PASSWORD)).toEqual({
        valid: true,
        needsRehash: false,
      })
      expect(await apart.verify(await here.hash(PASSWORD), PASSWORD)).toEqual({
        valid: true,
        needsRehash: false,
      })
      expect((await apart.verify(await here.hash(PASSWORD), `${PASSWORD} `)).valid).toBe(false)
      expect((await apart.verify(undefined, PASSWORD)).valid).toBe(false)
    }
  })

  onLinux(
    'gives way to the server: every one of its threads has a nice value of 10, and it computes with as many as it has slots',
    async () => {
      await using hashing = new HashProcess({ logger, slots: 2 })
      await hasherOn(hashing).hash(PASSWORD)
      const folder = `/proc/${pidOf(hashing)}/task`
      const nice = readdirSync(folder).map((thread) =>
        Number(readFileSync(`${folder}/${thread}/stat`, 'utf8').split(') ')[1]?.split(' ')[16]),
      )
      expect(nice.length).toBeGreaterThan(2)
      expect(new Set(nice)).toEqual(new Set([10]))
      expect(readFileSync(`/proc/${pidOf(hashing)}/environ`, 'utf8')).toMatch(
        /^UV_THREADPOOL_SIZE=2\0(?:NODE_COMPILE_CACHE=[^\0]*\0)?(?:NODE_CHANNEL[^\0]*\0)*$/,
      )
    },
  )

  onLinux(
    'computes with the argon2 that was compiled for its processor, where there is one',
    async () => {
      const builds = mkdtempSync(join(tmpdir(), 'gatehouse-native-'))
      try {
        await using usual = new HashProcess({ logger })
        await hasherOn(usual).hash(PASSWORD)
        const [installed = ''] = argon2In(usual)
        for (const level of ['x86-64-v3', 'x86-64-v4']) {
          mkdirSync(join(builds, level, 'build/Release'), { recursive: true })
          cpSync(installed, join(builds, level, 'build/Release/argon2.node'))
        }
        await using hashing = new HashProcess({ logger, builds })
        const hasher = hasherOn(hashing)
        expect((await hasher.verify(await hasher.hash(PASSWORD), PASSWORD)).valid).toBe(true)
        const [level] = processorLevels()
        expect(argon2In(hashing)).toEqual([
          level ? join(builds, level, 'build/Release/argon2.node') : installed,
        ])
      } finally {
        rmSync(builds, { recursive: true, force: true })
      }
    },
  )

  it.each([
    [
      'avx avx2 bmi1 bmi2 f16c fma abm movbe xsave avx512f avx512bw avx512cd avx512dq avx512vl',
      ['x86-64-v4', 'x86-64-v3'],
    ],
    ['avx avx2 bmi1 bmi2 f16c fma abm movbe xsave avx512f', ['x86-64-v3']],
    ['avx avx2 bmi1 bmi2 f16c fma movbe xsave', []],
    ['', []],
  ])('a processor with %s has the levels %j', (flags, levels) => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-cpuinfo-'))
    try {
      writeFileSync(
        join(folder, 'cpuinfo'),
        `processor\t: 0\nmodel name\t: one\nflags\t\t: fpu sse2 ${flags} lm\nbugs\t\t:\n`,
      )
      expect(processorLevels(join(folder, 'cpuinfo'))).toEqual(levels)
      expect(processorLevels(join(folder, 'nowhere'))).toEqual([])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('is killed: who waits for it gets 503 and no verdict, and the next hash starts it again', async () => {
    await using hashing = new HashProcess({ logger })
    const hasher = hasherOn(hashing, DEAR)
    const stored = await hasherOn(hashing).hash(PASSWORD)
    const pid = pidOf(hashing)
    const waiting = hasher.hash(PASSWORD)
    setTimeout(() => process.kill(pid, 'SIGKILL'), 50)
    await expect(waiting).rejects.toMatchObject({
      code: 'unavailable',
      status: 503,
      details: { retryAfterSeconds: 1 },
    })
    expect((await hasher.verify(stored, PASSWORD)).valid).toBe(true)
    expect(pidOf(hashing)).not.toBe(pid)
  })

  onLinux('hangs: it is killed after the timeout, and who waited gets 503', async () => {
    // Long enough for a busy machine to start it.
    await using hashing = new HashProcess({ logger, timeoutMs: 3000 })
    const hasher = hasherOn(hashing)
    const stored = await hasher.hash(PASSWORD)
    const pid = pidOf(hashing)
    process.kill(pid, 'SIGSTOP')
    const waiting = [
      hasher.verify(stored, PASSWORD),
      hasher.verify(stored, 'wrong wrong wrong'),
    ].map((call) => expect(call).rejects.toMatchObject({ status: 503 }))
    await waiting[0]
    await eventually(() => existsSync(`/proc/${pid}`), false)
    await Promise.allSettled(waiting)
    expect((await hasher.verify(stored, PASSWORD)).valid).toBe(true)
  })

  it('cannot start: everyone gets 503 at once, and it is not tried again for every request', async () => {
    await using hashing = new HashProcess({ logger })
    hashing.start()
    const pid = pidOf(hashing)
    process.kill(pid, 'SIGKILL')
    await expect(hasherOn(hashing).hash(PASSWORD)).rejects.toMatchObject({ status: 503 })
    expect(hashing.pid).toBeUndefined()
    await expect(hasherOn(hashing).hash(PASSWORD)).rejects.toMatchObject({ status: 503 })
    expect(hashing.pid).toBeUndefined()
  })

  onLinux(
    'F26 has no file descriptor left to start with: 503, one line of the log, and hashing goes on when there are some again',
    async () => {
      const program = spawn('sh', [
        '-c',
        'ulimit -n 40; exec "$0" --input-type=module-typescript -e "$1"',
        process.execPath,
        WITHOUT_DESCRIPTORS,
      ])
      const [said, complaints] = await Promise.all([text(program.stdout), text(program.stderr)])
      expect(complaints).toBe('')
      const lines = said.trim().split('\n')
      expect(lines.filter((line) => line.startsWith('refused'))).toEqual(
        Array(5).fill('refused unavailable'),
      )
      expect(lines.filter((line) => line.startsWith('log'))).toEqual([
        'log error hash_process.lost',
        'log info hash_process.back',
      ])
      expect(lines.at(-1)).toBe('32 bytes')
    },
  )

  it('says no verdict about what it cannot compare', async () => {
    await using hashing = new HashProcess({ logger })
    await expect(hashing.matches('$argon2id$v=19$m=8,t=1,p=1$AA$AA', PASSWORD)).rejects.toThrow(
      'argon2',
    )
    await expect(hashing.matches('no hash', PASSWORD)).rejects.toThrow('argon2')
  })

  onLinux('ends with its parent, however that ends', async () => {
    const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', PARENT], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const pid = await firstNumber(parent)
    expect(existsSync(`/proc/${pid}`)).toBe(true)
    parent.kill('SIGKILL')
    await eventually(() => existsSync(`/proc/${pid}`), false)
  })
})

const WITHOUT_DESCRIPTORS = `
  import { openSync, closeSync } from 'node:fs'
  import { setTimeout } from 'node:timers/promises'
  import { HashProcess } from ${JSON.stringify(new URL('../../src/crypto/hash-process.ts', import.meta.url).href)}
  const tell = (level) => ({ event }) => console.log('log', level, event)
  const hashing = new HashProcess({ logger: { error: tell('error'), info: tell('info') } })
  const hash = () => hashing.digest('x', { salt: Buffer.alloc(16), memoryKib: 1024, passes: 2, hashLength: 32 })
  const held = []
  try { for (;;) held.push(openSync('/dev/null')) } catch {}
  for (let round = 0; round < 5; round++) {
    await hash().catch(({ code, message }) => console.log('refused', code ?? message))
    await setTimeout(300)
  }
  for (const descriptor of held) closeSync(descriptor)
  await setTimeout(1100)
  console.log((await hash()).length, 'bytes')`

const PARENT = `
  import { HashProcess } from ${JSON.stringify(new URL('../../src/crypto/hash-process.ts', import.meta.url).href)}
  const hashing = new HashProcess({ logger: { error() {} } })
  await hashing.digest('x', { salt: Buffer.alloc(16), memoryKib: 1024, passes: 2, hashLength: 32 })
  console.log(hashing.pid)
  setInterval(() => undefined, 1000)`

async function firstNumber({ stdout }: ChildProcess): Promise<number> {
  if (!stdout) throw new Error('no output')
  const [chunk] = (await once(stdout, 'data')) as [Buffer]
  return Number(chunk.toString())
}

describe('sign-in when hashing is the bottleneck', () => {
  let server: TestServer
  let made = 0
  beforeAll(async () => {
    const config = { trustedProxyHops: 1, argon2: { ...COST, peppers: [] } }
    server = await startServer({ hashing: 'apart', config })
  })
  afterAll(() => server.stop())

  /** From another network each time: this is about the hashes, not about the limit per network. */
  function signIn(email: string, password: string): Promise<Response> {
    made++
    const headers = {
      'content-type': 'application/json',
      'x-forwarded-for': `10.${made >> 8}.${made & 255}.1`,
    }
    return send(`${server.origin}/api/auth/sign-in/email`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ email, password }),
    })
  }

  it('G13 AA-02 answers a storm of good, bad and unknown sign-ins with a verdict or 503 + Retry-After; tokens and memory stay', async () => {
    const account = await createAccount(server)
    const { identifier } = await createResource(server)
    const client = await createClient(server, { type: 'service' })
    const headers = {
      ...basic(client),
      'content-type': 'application/x-www-form-urlencoded',
      'x-forwarded-for': '10.99.0.1',
    }
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'read',
      resource: identifier,
    }).toString()

    const storm = Array.from({ length: 300 }, (_, at) =>
      at % 3 === 0
        ? signIn(account.email, PASSWORD)
        : signIn(
            at % 3 === 1 ? account.email : `nobody${at}@example.org`,
            `wrong wrong wrong ${at}`,
          ),
    )
    const tokens: number[] = []
    for (let call = 0; call < 10; call++)
      tokens.push((await send(`${server.origin}/token`, { method: 'POST', headers, body })).status)
    const answers = await Promise.all(storm)
    const rss = Number(
      /VmHWM:\s+(\d+)/.exec(
        readFileSync(`/proc/${pidOf(server.context.hashProcess)}/status`, 'utf8'),
      )?.[1],
    )

    expect(tokens).toEqual(Array(10).fill(200))
    const refused = answers.filter(({ status }) => status === 503)
    expect(refused.length).toBeGreaterThan(0)
    for (const answer of refused)
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(
      new Set(answers.map(({ status }) => status)).isSubsetOf(new Set([200, 401, 429, 503])),
    ).toBe(true)
    for (const [at, { status }] of answers.entries())
      expect(at % 3 === 0 || status !== 200).toBe(true)
    // G13: base and 1.25 of the memory of every slot.
    expect(rss).toBeLessThan(110_000 + HASH_SLOTS * 1.25 * COST.memoryKib)
    expect(server.context.hasher.stats).toMatchObject({ running: 0, waiting: 0 })
  })

  it('RL-07 G12 a sign-in that the queue has no room for is refused before anything is read or counted', async () => {
    const account = await createAccount(server)
    const { hasher, database } = server.context
    await hasher.hash(PASSWORD)
    const pid = pidOf(server.context.hashProcess)
    const { pool } = database
    const asked: unknown[] = []
    const query = pool.query.bind(pool)
    pool.query = ((...args: [{ name?: string }]) => {
      asked.push(args[0].name)
      return Reflect.apply(query, pool, args)
    }) as typeof pool.query
    expect((await signIn(account.email, PASSWORD)).status).toBe(200)
    expect(asked.splice(0)).toContain('sign-in-begin')
    process.kill(pid, 'SIGSTOP')
    const others = Array.from({ length: HASH_SLOTS + 64 }, () =>
      hasher.hash(PASSWORD).catch(() => undefined),
    )
    try {
      const refused = await signIn(account.email, PASSWORD)
      expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([503, true])
      expect(asked).not.toContain('sign-in-begin')
    } finally {
      Reflect.deleteProperty(pool, 'query')
      process.kill(pid, 'SIGKILL')
      await Promise.all(others)
    }
    expect((await signIn(account.email, PASSWORD)).status).toBe(200)
  })

  it('RL-07 a lost hash process costs the person a 503 and no attempt', async () => {
    const account = await createAccount(server)
    expect((await signIn(account.email, PASSWORD)).status).toBe(200)
    for (let round = 0; round < 3; round++) {
      const pid = pidOf(server.context.hashProcess)
      process.kill(pid, 'SIGSTOP')
      const answer = signIn(account.email, PASSWORD)
      await eventually(() => server.context.hasher.stats.running, 1)
      process.kill(pid, 'SIGKILL')
      expect([(await answer).status, (await answer).headers.get('retry-after')]).toEqual([503, '1'])
      expect((await signIn(account.email, PASSWORD)).status).toBe(200)
    }
    const { rows } = await server.context.database.pool.query(
      'select "failures" from "attempt_counter" where "failures" > 0 and "updated_at" > now() - interval \'1 second\'',
    )
    expect(rows).toEqual([])
  })
})
