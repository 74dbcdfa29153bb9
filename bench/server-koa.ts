import { generateKeyPairSync, sign, timingSafeEqual } from 'node:crypto'
import Koa from 'koa'
import pg from 'pg'
import { rawSignature } from '../src/oidc/external-key.ts'
import type { Served } from './server.ts'
import type { TargetSettings } from './target.ts'

const READ = { name: 'read', text: 'select "n" from "bench_row" where "id" = $1' }
const WRITE = { name: 'write', text: 'update "bench_row" set "n" = "n" + 1 where "id" = $1' }
const ROWS = 10_000

/**
 * The ceiling: Koa, and of an operation only what it cannot do without. `POST /work?s=1&r=2&w=1` parses client credentials and a
 * form, makes one signature, two reads by primary key and one write, and answers with JSON; `GET /hello` is Koa itself.
 */
export async function koaServer({ databaseUrl }: TargetSettings): Promise<Served> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 })
  await pool.query('create table if not exists "bench_row" ("id" int primary key, "n" int not null)')
  await pool.query('insert into "bench_row" select i, 0 from generate_series(1, $1::int) i on conflict do nothing', [ROWS])
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const secret = Buffer.from('secret')
  let row = 0
  const nextRow = (): number => {
    row = (row % ROWS) + 1
    return row
  }
  const app = new Koa()
  app.use(async (ctx) => {
    if (ctx.path === '/hello') {
      ctx.body = 'hello'
      return
    }
    const text = await bodyOf(ctx.req)
    const [, given = ''] = Buffer.from((ctx.get('authorization') || '').slice(6), 'base64')
      .toString()
      .split(':')
    const isKnown = given.length === secret.length && timingSafeEqual(Buffer.from(given), secret)
    const { s = '0', r = '0', w = '0' } = ctx.query as Record<string, string>
    for (let read = 0; read < Number(r); read++) await pool.query({ ...READ, values: [nextRow()] })
    for (let write = 0; write < Number(w); write++) await pool.query({ ...WRITE, values: [nextRow()] })
    const claims = { iss: 'x', aud: new URLSearchParams(text).get('resource'), iat: Date.now(), known: isKnown }
    const tokens: string[] = []
    for (let count = 0; count < Number(s); count++) {
      const data = `${base64({ alg: 'ES256', typ: 'at+jwt' })}.${base64({ ...claims, count })}`
      tokens.push(`${data}.${rawSignature(sign('sha256', Buffer.from(data), privateKey)).toString('base64url')}`)
    }
    ctx.body = { access_token: tokens[0], id_token: tokens[1], expires_in: 600, token_type: 'Bearer' }
  })
  return {
    handle: app.callback(),
    facts: { email: '', password: '', resource: '', apiClient: { id: 'x', secret: 'secret' } },
    mint: () => Promise.reject(new Error('nothing to mint')),
    [Symbol.asyncDispose]: () => pool.end(),
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
