import { type Answer, type Connection, cookiesOf, headerOf, type Sent } from './connection.ts'
import { PKCE, REDIRECT_URI, SCOPE } from './minting.ts'
import type { Minted, Target, TargetKind } from './target.ts'

/** One unit of work on one connection; `worker` is the connection's number. Throws when it did not succeed. */
export type Work = (connection: Connection, worker: number) => Promise<void>

export interface Operation {
  readonly name: string
  readonly on: readonly TargetKind[]
  /** What it costs at least: request of the Koa target. */
  readonly ceiling?: Sent
  /** Share of the usual number of repetitions. */
  readonly share?: number
  readonly concurrency?: number
  prepare(target: Target, count: number, concurrency: number): Promise<Work>
}

const BOTH: readonly TargetKind[] = ['bare', 'gatehouse']

function expect(answer: Answer, status: number): Answer {
  if (answer.status !== status) throw new Error(`status ${answer.status} instead of ${status}: ${answer.body.slice(0, 300)}`)
  return answer
}

function basic({ facts }: Target): Record<string, string> {
  return {
    authorization: `Basic ${Buffer.from(`${facts.apiClient.id}:${encodeURIComponent(facts.apiClient.secret).replaceAll('%20', '+')}`).toString('base64')}`,
  }
}

function ceiling(s: number, r: number, w: number): Sent {
  const headers = { authorization: `Basic ${Buffer.from('x:secret').toString('base64')}` }
  return { method: 'POST', path: `/work?s=${s}&r=${r}&w=${w}`, headers, form: { grant_type: 'x', resource: 'https://api.example/' } }
}

/** The same request over and over. */
function repeat(name: string, sent: (target: Target) => Sent, least: Sent): Operation {
  return {
    name,
    on: BOTH,
    ceiling: least,
    prepare: async (target) => {
      const request = sent(target)
      return async (connection) => void expect(await connection.send(request), 200)
    },
  }
}

/** A request with something that was minted for it: a new one each time, or one for all. */
function withToken(name: string, least: Sent, what: Minted, sent: (target: Target, token: string) => Sent, isSpent = false): Operation {
  return {
    name,
    on: BOTH,
    ceiling: least,
    prepare: async (target, count) => {
      const tokens = await target.mint(what, isSpent ? count : 50)
      let next = 0
      return async (connection) => void expect(await connection.send(sent(target, tokens[next++ % tokens.length] ?? '')), 200)
    },
  }
}

const code = (value: string) => ({
  grant_type: 'authorization_code',
  code: value,
  redirect_uri: REDIRECT_URI,
  code_verifier: PKCE.verifier,
})

const refresh: Operation = {
  name: 'refresh with rotation',
  on: BOTH,
  ceiling: ceiling(1, 1, 1),
  prepare: async (target, _count, concurrency) => {
    const chains = await target.mint('refresh', concurrency)
    return async (connection, worker) => {
      const form = { grant_type: 'refresh_token', refresh_token: chains[worker] ?? '' }
      const { body } = expect(await connection.send({ method: 'POST', path: '/token', headers: basic(target), form }), 200)
      chains[worker] = (JSON.parse(body) as { refresh_token: string }).refresh_token
    }
  },
}

/** Everything a browser and an app do: authorize, the page, the password, back, the code. Consent is skipped: a first-party app. */
const flow: Operation = {
  name: 'full code flow',
  on: BOTH,
  share: 0.05,
  concurrency: 4,
  prepare: async (target) => {
    const { client_id } = { client_id: target.facts.apiClient.id }
    const challenge = { code_challenge: PKCE.challenge, code_challenge_method: 'S256' }
    const query = new URLSearchParams({
      client_id,
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: SCOPE.replace(' offline_access', ''),
      state: 's',
      ...challenge,
    })
    return async (connection) => {
      const jar = new Map<string, string>()
      const go = async (sent: Sent): Promise<Answer> => {
        const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
        const answer = await connection.send({ ...sent, headers: { accept: 'text/html', ...(cookie ? { cookie } : {}) } })
        for (const [name, value] of cookiesOf(answer)) if (value) jar.set(name, value)
        return answer
      }
      let answer = await go({ path: `/auth?${query.toString()}` })
      for (let hops = 0; hops < 6; hops++) {
        const location = headerOf(answer, 'location')
        if (location?.startsWith(REDIRECT_URI)) {
          const form = code(new URL(location).searchParams.get('code') ?? '')
          expect(await connection.send({ method: 'POST', path: '/token', headers: basic(target), form }), 200)
          return
        }
        if (location) {
          answer = await go({ path: location.replace(/^https?:\/\/[^/]+/, '') })
          continue
        }
        const action = /<form[^>]*action="([^"]*\/login)"/.exec(expect(answer, 200).body)?.[1] ?? ''
        const csrf = /name="_csrf"[^>]*value="([^"]*)"/.exec(answer.body)?.[1] ?? ''
        answer = await go({
          method: 'POST',
          path: action,
          form: { _csrf: csrf, username: target.facts.email, password: target.facts.password },
        })
      }
      throw new Error(`the flow ended at ${answer.status}`)
    }
  },
}

export function passwordSignIn(target: Target): Sent {
  return { method: 'POST', path: '/api/auth/sign-in/email', json: { email: target.facts.email, password: target.facts.password } }
}

export function clientCredentials(target: Target): Sent {
  const form = { grant_type: 'client_credentials', scope: 'read', resource: target.facts.resource }
  return { method: 'POST', path: '/token', headers: basic(target), form }
}

export const OPERATIONS: readonly Operation[] = [
  repeat('discovery', () => ({ path: '/.well-known/openid-configuration' }), { path: '/hello' }),
  repeat('JWKS', () => ({ path: '/jwks' }), { path: '/hello' }),
  repeat('client_credentials, JWT', clientCredentials, ceiling(1, 0, 0)),
  withToken(
    'code exchange',
    ceiling(1, 1, 1),
    'code',
    (target, token) => ({ method: 'POST', path: '/token', headers: basic(target), form: code(token) }),
    true,
  ),
  refresh,
  withToken('introspection', ceiling(0, 1, 0), 'access', (target, token) => ({
    method: 'POST',
    path: '/token/introspection',
    headers: basic(target),
    form: { token },
  })),
  withToken('userinfo', ceiling(0, 1, 0), 'access', (_target, token) => ({
    path: '/userinfo',
    headers: { authorization: `Bearer ${token}` },
  })),
  flow,
  { ...repeat('password sign-in by API', passwordSignIn, ceiling(1, 1, 2)), on: ['gatehouse'], share: 0.05, concurrency: 4 },
]
