import { expect, type Sent } from './connection.ts'
import { signInWithBrowser } from './flow.ts'
import { type Ceiling, requestsOf } from './least.ts'
import {
  clientCredentials,
  codeExchange,
  inTurn,
  introspection,
  passwordSignIn,
  tokenRequest,
  userinfo,
  type Work,
} from './requests.ts'
import type { Minted, Target, TargetKind } from './target.ts'

export interface Operation {
  readonly name: string
  readonly on: readonly TargetKind[]
  /** Share of the usual number of repetitions, and of those that warm up. */
  readonly share: number
  readonly warmUpShare: number
  readonly concurrency: number
  prepare(target: Target, count: number, concurrency: number): Promise<Work>
}

/** Tokens that take turns where one can be used more than once. */
const TOKENS = 500
const ENGINES: readonly TargetKind[] = ['koa', 'bare', 'naive', 'gatehouse']
/** The peer has no pages of its own, and it hashes passwords with scrypt. */
const AND_PEER: readonly TargetKind[] = [...ENGINES, 'better-auth']
/** Five requests, and a hash that takes longer than all of them: as many requests warm up as elsewhere. */
const SIGN_IN = { share: 0.06, warmUpShare: 0.3, concurrency: 4, on: ['gatehouse'] } as const
const BUT_THE_HASH = { share: 0.2, warmUpShare: 0.3 }

const SPENT_AND_SIGNED: Ceiling = [{ reads: 1, accounts: 1, writes: 1, signatures: 2 }]
/** Authorization request, page, password, back, code. */
const FLOW: Ceiling = [
  { writes: 1 },
  { reads: 1 },
  { reads: 1, accounts: 1, writes: 2 },
  { reads: 1, writes: 1 },
  { reads: 1, accounts: 1, writes: 1, signatures: 1 },
]

const BY_API: Ceiling = [{ accounts: 1, writes: 2, signatures: 1 }]

/** At the true cost of their hash: most of their time is waiting for it. */
export const SIGN_INS: readonly Operation[] = [
  operation('full code flow', FLOW, signInByBrowser, SIGN_IN),
  operation('password sign-in by API', BY_API, signInByApi, SIGN_IN),
]

export const OPERATIONS: readonly Operation[] = [
  operation('discovery', 'hello', async ({ facts }) => inTurn({ path: facts.paths.discovery })),
  operation('JWKS', 'hello', async ({ facts }) => inTurn({ path: facts.paths.jwks })),
  operation('client_credentials, JWT', [{ signatures: 1 }], async (target) =>
    inTurn(clientCredentials(target)),
  ),
  operation('code exchange', SPENT_AND_SIGNED, withToken('code', codeExchange)),
  operation('refresh with rotation', SPENT_AND_SIGNED, rotation),
  operation('introspection', [{ reads: 1 }], withToken('access', introspection)),
  operation('userinfo', [{ reads: 1, accounts: 1 }], withToken('access', userinfo)),
  ...SIGN_INS,
]

/** Of servers whose hash costs next to nothing, beside engines that make none (G9). */
export const SIGN_INS_BUT_THE_HASH: readonly Operation[] = [
  operation('full code flow but the hash', FLOW, signInByBrowser, { ...BUT_THE_HASH, on: ENGINES }),
  operation('password sign-in by API but the hash', BY_API, signInByApi, {
    ...BUT_THE_HASH,
    on: ['koa', 'gatehouse'],
  }),
]

export function operationNamed(name: string): Operation {
  const found = OPERATIONS.find((operation) => operation.name === name)
  if (!found) throw new Error(`no operation ${name}`)
  return found
}

type Options = Partial<Pick<Operation, 'on' | 'share' | 'warmUpShare' | 'concurrency'>>

export function operation(
  name: string,
  ceiling: Ceiling,
  prepare: Operation['prepare'],
  options: Options = {},
): Operation {
  const least = requestsOf(ceiling)
  return {
    name,
    share: 1,
    warmUpShare: 1,
    concurrency: 8,
    on: AND_PEER,
    ...options,
    prepare: async (target, count, concurrency) =>
      target.kind === 'koa' ? inTurn(...least) : prepare(target, count, concurrency),
  }
}

async function signInByBrowser(target: Target): Promise<Work> {
  return signInWithBrowser(target)
}

async function signInByApi(target: Target): Promise<Work> {
  return async (connection) => void expect(await connection.send(passwordSignIn(target)), 200)
}

/** A request with something that was minted for it: a code each time, or the same tokens by turns. */
function withToken(
  what: Minted,
  sent: (target: Target, token: string) => Sent,
): Operation['prepare'] {
  return async (target, count) => {
    const tokens = await target.mint(what, what === 'code' ? count : Math.min(count, TOKENS))
    let next = 0
    return async (connection) =>
      void expect(await connection.send(sent(target, tokens[next++ % tokens.length] ?? '')), 200)
  }
}

/** Every connection has a family of its own and always spends the latest. */
async function rotation(target: Target, _count: number, concurrency: number): Promise<Work> {
  const latest = await target.mint('refresh', concurrency)
  return async (connection, worker) => {
    const sent = tokenRequest(target, {
      grant_type: 'refresh_token',
      refresh_token: latest[worker] ?? '',
    })
    const { body } = expect(await connection.send(sent), 200)
    latest[worker] = (JSON.parse(body) as { refresh_token: string }).refresh_token
  }
}
