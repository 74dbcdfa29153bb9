import { generateKeyPairSync, sign, timingSafeEqual } from 'node:crypto'
import { Redis } from 'ioredis'
import Koa from 'koa'
import pg from 'pg'
import { rawSignature } from '../src/oidc/keys/external-key.ts'
import type { Served } from './server.ts'
import { PATHS, type TargetSettings } from './target.ts'

const ROWS = 10_000
const PAYLOAD = JSON.stringify({
  kind: 'RefreshToken',
  accountId: 'x'.repeat(36),
  grantId: 'g'.repeat(43),
  scope: 'openid email',
})

interface Store extends AsyncDisposable {
  read(row: number): Promise<unknown>
  write(row: number): Promise<unknown>
}

/**
 * The ceiling: Koa, and of an operation only what it cannot do without.
 * `POST /work?signatures=1&reads=2&writes=1&accounts=1` parses client credentials and a form, reads
 * and writes by key, signs, and answers with JSON; `GET /hello` is Koa itself.
 */
export async function koaServer({ databaseUrl, redisUrl }: TargetSettings): Promise<Served> {
  const accounts = await postgresStore(databaseUrl)
  const artifacts = redisUrl ? redisStore(redisUrl) : accounts
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const secret = Buffer.from('secret')
  let turn = 0
  const times = async (
    count: string | undefined,
    work: (row: number) => Promise<unknown>,
  ): Promise<void> => {
    for (let done = 0; done < Number(count ?? 0); done++) await work(turn++ % ROWS)
  }
  const app = new Koa()
  app.use(async (ctx) => {
    if (ctx.path === '/hello') {
      ctx.body = 'hello'
      return
    }
    const form = new URLSearchParams(await bodyOf(ctx.req))
    const credentials = Buffer.from(ctx.get('authorization').slice(6), 'base64').toString()
    const given = Buffer.from(credentials.slice(credentials.indexOf(':') + 1))
    if (given.length !== secret.length || !timingSafeEqual(given, secret)) ctx.throw(401)
    const {
      reads,
      accounts: people,
      writes,
      signatures,
    } = ctx.query as Record<string, string | undefined>
    await times(reads, artifacts.read)
    await times(people, accounts.read)
    const tokens: string[] = []
    await times(signatures, async (jti) => {
      const claims = {
        iss: 'x',
        aud: form.get('resource'),
        iat: Date.now(),
        exp: Date.now(),
        sub: 'x',
        jti,
      }
      const data = `${base64({ alg: 'ES256', typ: 'at+jwt' })}.${base64(claims)}`
      tokens.push(
        `${data}.${rawSignature(sign('sha256', Buffer.from(data), privateKey)).toString('base64url')}`,
      )
    })
    await times(writes, artifacts.write)
    ctx.body = {
      access_token: tokens[0],
      id_token: tokens[1],
      expires_in: 600,
      token_type: 'Bearer',
    }
  })
  return {
    handle: app.callback(),
    facts: {
      people: [],
      password: '',
      resource: '',
      paths: PATHS,
      apiClient: { id: 'x', secret: 'secret' },
    },
    mint: () => Promise.reject(new Error('nothing to mint')),
    async [Symbol.asyncDispose]() {
      await accounts[Symbol.asyncDispose]()
      if (artifacts !== accounts) await artifacts[Symbol.asyncDispose]()
    },
  }
}

async function postgresStore(url: string): Promise<Store> {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  await pool.query(
    'create table if not exists "ceiling" ("id" int primary key, "payload" jsonb not null)',
  )
  await pool.query(
    'insert into "ceiling" select i, $1 from generate_series(0, $2::int) i on conflict do nothing',
    [PAYLOAD, ROWS],
  )
  const [read, write] = [
    'select "payload" from "ceiling" where "id" = $1',
    'update "ceiling" set "payload" = $2 where "id" = $1',
  ]
  return {
    read: (row) => pool.query({ name: 'read', text: read, values: [row] }),
    write: (row) => pool.query({ name: 'write', text: write, values: [row, PAYLOAD] }),
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

function redisStore(url: string): Store {
  const redis = new Redis(url, { enableAutoPipelining: true })
  return {
    read: (row) => redis.get(`ceiling:${row}`),
    write: (row) => redis.set(`ceiling:${row}`, PAYLOAD, 'EX', 3600),
    [Symbol.asyncDispose]: async () => redis.disconnect(),
  }
}

async function bodyOf(req: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function base64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
