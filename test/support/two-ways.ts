import { hash } from 'node:crypto'
import fc from 'fast-check'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { anyAddress } from './api.ts'
import type { TestServer } from './server.ts'

export const FORM = 'application/x-www-form-urlencoded'

export interface Shot {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

/** Of which requests the provider knows. */
export interface Counted {
  readonly count: number
}

/** Before the first request, which composes what the provider does with one. */
export function countProvided(server: TestServer): Counted {
  const counted = { count: 0 }
  server.context.authorizationServer.provider.use((_ctx, next) => {
    counted.count++
    return next()
  })
  return counted
}

/**
 * The same request that goes to the engine in any case: its router does not mind a query, the fast
 * path does.
 */
export function longWay(shot: Shot): Shot {
  return { ...shot, path: `${shot.path}?way=long` }
}

/** Needs `trustedProxyHops: 1`, so that no limit is met. */
export function ask(
  { origin }: TestServer,
  { method, path, headers, body }: Shot,
): Promise<Response> {
  return fetch(origin + path, {
    method,
    headers: { 'x-forwarded-for': anyAddress(), ...headers },
    redirect: 'manual',
    ...(body === undefined || method === 'GET' || method === 'HEAD'
      ? {}
      : { body: Buffer.from(body) }),
  })
}

export function formShot(
  path: string,
  authorization: string,
  form: Readonly<Record<string, string>>,
): Shot {
  return {
    method: 'POST',
    path,
    headers: { authorization, 'content-type': FORM },
    body: new URLSearchParams(form).toString(),
  }
}

const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** Status, headers and text of an answer, without what is random in it and the way that it was asked. */
export async function seen(
  answer: Response,
): Promise<{ status: number; headers: Record<string, string>; text: string; tokens: unknown[] }> {
  const headers = Object.fromEntries(
    [...answer.headers].map(([name, value]) => [name, alike(value)]),
  )
  for (const name of ['date', 'x-request-id', 'content-length']) delete headers[name]
  const tokens: unknown[] = []
  const whole = await answer.text()
  const [, beside = ''] = /"access_token":"([^"]+)"/.exec(whole) ?? []
  const text = alike(whole.replaceAll(answer.headers.get('x-request-id') ?? ' ', 'ID')).replaceAll(
    /"(access|id|refresh)_token":"([^"]+)"/g,
    (_all, kind: string, token: string) => {
      tokens.push(contentOf(token, beside))
      return `"${kind}_token":"..."`
    },
  )
  if (COMPACT.test(whole))
    return { status: answer.status, headers, text: 'a JWT', tokens: [contentOf(whole, beside)] }
  return { status: answer.status, headers, text, tokens }
}

function alike(text: string): string {
  return text.replaceAll(/nonce(-|=")[\w-]{22}/g, 'nonce').replaceAll('?way=long', '')
}

/**
 * What a JWT says, with the order of its members, and of which access token it is; how long another
 * token is. What is sealed into it is noise.
 */
function contentOf(token: string, beside: string): unknown {
  if (!token.includes('.')) return token.length
  const { jti, iat = 0, exp = 0, at_hash: atHash, ...more } = decodeJwt(token)
  const { gatehouse_binding: sealed, ...claims } = more
  return [
    decodeProtectedHeader(token),
    Object.keys(decodeJwt(token)),
    claims,
    atHash && ['sha256', 'sha512'].filter((name) => atHash === leftHalf(name, beside)),
    typeof jti,
    typeof sealed === 'string' && sealed.length,
    exp - iat,
  ]
}

/** OIDC Core 3.1.3.6. */
export function leftHalf(hashName: string, text: string): string {
  const digest = hash(hashName, text, 'buffer')
  return digest.subarray(0, digest.length / 2).toString('base64url')
}

export const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
export const mostly = <T>(
  plain: fc.Arbitrary<T>,
  odd: fc.Arbitrary<T>,
  weight = 3,
): fc.Arbitrary<T> => fc.oneof({ weight, arbitrary: plain }, odd)

export const oddHeaders = mostly<Readonly<Record<string, string>>>(
  fc.constant({}),
  oneOf<Record<string, string>>(
    { origin: 'https://client.example' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { accept: 'text/html' },
    { 'if-none-match': '*' },
    { dpop: 'x.y.z' },
    { 'oauth-client-attestation': 'x.y.z' },
    { 'oauth-client-attestation-pop': 'x.y.z' },
    { 'content-encoding': 'gzip' },
    { 'accept-language': 'de' },
  ),
)

type Pairs = readonly string[]

const mutation = oneOf<(pairs: Pairs) => Pairs>(
  (pairs) => pairs.slice(1),
  (pairs) => pairs.slice(0, -1),
  (pairs) => pairs.toReversed(),
  (pairs) => [...pairs, ...pairs.slice(0, 1)],
  (pairs) => [...pairs, ...pairs.slice(-1)],
  (pairs) => [...pairs, 'client_id=nobody'],
  (pairs) => [...pairs, 'client_secret=nothing'],
  (pairs) => [...pairs, 'unheard=of'],
  (pairs) => [...pairs, '__proto__=x'],
  (pairs) => [...pairs, 'scope='],
  (pairs) => [...pairs, 'scope=openid'],
  (pairs) => [...pairs, 'resource=https%3A%2F%2Fapi.example%2F'],
  (pairs) => [...pairs, 'access_token=x'],
  (pairs) => pairs.map((pair) => pair.replace('=', '')),
  (pairs) => [...pairs, '%'],
  (pairs) => [...pairs, 'é=é'],
  (pairs) => ['\uFEFF', ...pairs],
  () => [],
)

/** Ways to write a form: as it should be, or once or twice odd. */
export const writtenForm = mostly(
  fc.constant<((pairs: Pairs) => Pairs)[]>([]),
  fc.array(mutation, { minLength: 1, maxLength: 2 }),
).map(
  (mutations) => (fields: readonly (readonly [string, string])[]) =>
    mutations
      .reduce<Pairs>(
        (pairs, mutate) => mutate(pairs),
        fields.map(([name, value]) => `${name}=${encodeURIComponent(value)}`),
      )
      .join('&'),
)
