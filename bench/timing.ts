import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createApp } from '../src/app.ts'
import { buildConfig } from '../src/config/config.ts'
import { EnvSchema } from '../src/config/env.ts'
import { createContext } from '../src/context.ts'
import { randomToken } from '../src/crypto/token.ts'
import { openDatabase } from '../src/database/database.ts'
import { Account } from '../src/entities/index.ts'
import { createLogger } from '../src/logger/logger.ts'
import { median, rankStatistic } from '../test/support/statistics.ts'

/**
 * EN-02: `DATABASE_URL=postgres://…/scratch node bench/timing.ts [samples]` asks one server in turn
 * about an address with and one without an account, and says how well time tells them apart: AUC
 * (Mann-Whitney; 0.5 is chance) and the medians' difference.
 */
const SAMPLES = Number(process.argv[2] ?? 2000)
const WARM_UP = 50
const PASSWORD = 'plum ladder seven harbour'
const GOALS = { auc: [0.45, 0.55], medians: 0.05 } as const

const env = EnvSchema.parse({
  NODE_ENV: 'test',
  DATABASE_URL: process.env['DATABASE_URL'],
  TRUSTED_PROXY_HOPS: 1,
  LOG_LEVEL: 'silent',
})
if (!env.DATABASE_URL) throw new Error('Set DATABASE_URL to a scratch database.')
const secrets = { cookieKeys: [randomToken()], keyEncryptionKeys: [randomToken()] }
const config = buildConfig(env, { databaseUrl: env.DATABASE_URL, embedded: false, secrets })
await using database = await openDatabase({ url: config.database.url, pool: config.database.pool })
await database.migrate()
await using context = await createContext(config, { database, logger: createLogger('silent') })
const domain = `${randomToken(32).toLowerCase()}.example.org`
const addresses = { known: `ada@${domain}`, unknown: `eve@${domain}` }
await addAccount(addresses.known)
context.worker.start()

const handle = createApp(context).callback()
const server = createServer((req, res) => void handle(req, res))
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo
try {
  await compare('sign-in, wrong password', 'POST', '/api/auth/sign-in/email', (email) => ({
    email,
    password: 'never the right passphrase',
  }))
  await compare('forgot password', 'PATCH', '/api/auth/forgot/password', (email) => ({ email }))
  await compare('resend', 'POST', '/api/auth/resend/verify/email', (email) => ({ email }))
  await compare('sign-up', 'POST', '/api/auth/sign-up/email', (email) => ({
    name: 'Ada',
    email,
    password: PASSWORD,
  }))
} finally {
  server.close()
}

async function compare(
  name: string,
  method: string,
  path: string,
  body: (email: string) => object,
): Promise<void> {
  const samples = { known: [] as number[], unknown: [] as number[] }
  for (let index = 0; index < SAMPLES + WARM_UP; index += 1) {
    await database.pool.query('delete from attempt_counter')
    const order = index % 2 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)
    for (const kind of order) {
      const began = performance.now()
      await call(method, path, body(addresses[kind]), index)
      if (index >= WARM_UP) samples[kind].push(performance.now() - began)
    }
  }
  const [a, b] = [median(samples.known), median(samples.unknown)]
  const auc = rankStatistic(samples.known, samples.unknown)
  const holds = auc >= GOALS.auc[0] && auc <= GOALS.auc[1] && Math.abs(a - b) / b < GOALS.medians
  console.log(
    `${name.padEnd(26)} AUC ${auc.toFixed(3)}  medians ${a.toFixed(2)} / ${b.toFixed(2)} ms (${(((a - b) / b) * 100).toFixed(1)} %)  ${holds ? 'holds' : 'FAILS'}`,
  )
  if (!holds) process.exitCode = 1
}

function call(method: string, path: string, body: object, index: number): Promise<void> {
  const text = JSON.stringify(body)
  const from = `10.${index >> 14}.${(index >> 6) & 255}.${index & 63}`
  const headers = {
    host: `localhost:${env.PORT}`,
    'content-type': 'application/json',
    'content-length': text.length,
    'x-forwarded-for': from,
  }
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (answer) =>
      answer.resume().on('end', resolve),
    )
    sent.on('error', reject).end(text)
  })
}

async function addAccount(email: string): Promise<void> {
  const em = database.em.fork()
  const now = new Date()
  const passwordHash = await context.hasher.hash(randomToken())
  em.create(Account, {
    name: 'Timing',
    email,
    emailVerifiedAt: now,
    passwordHash,
    passwordChangedAt: now,
  })
  await em.flush()
}
