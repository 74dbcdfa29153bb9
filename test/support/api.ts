import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { generate } from 'otplib/functional'
import { createAccount, type NewAccount } from './factories.ts'
import { send } from './http.ts'
import { type ServerOptions, startServer, type TestServer } from './server.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are judged by the tests that read them
export type Json = any // oxlint-disable-line typescript/no-explicit-any

export interface ApiAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Json
}

export interface ApiOptions {
  readonly token?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as it is, without a content type of its own. */
  readonly raw?: string | Uint8Array
  /**
   * Who calls; by default everyone from an address of their own, so that limits per network do not
   * hide what is tested.
   */
  readonly from?: string
}

/** A server that believes the address in front of it. */
export function startApi(options: ServerOptions = {}): Promise<TestServer> {
  return startServer({ ...options, config: { trustedProxyHops: 1, ...options.config } })
}

export function anyAddress(): string {
  return `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`
}

type Target = Pick<TestServer, 'origin' | 'address'>

/** `POST /sign-in/email` as a method and a path below `/api/auth`. */
export async function api(
  server: Target,
  route: string,
  body?: unknown,
  options: ApiOptions = {},
): Promise<ApiAnswer> {
  const [method = '', path = ''] = route.split(' ')
  const text = options.raw ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await send(`${server.origin}/api/auth${path}`, {
    method,
    connect: server.address,
    headers: {
      'x-forwarded-for': options.from ?? anyAddress(),
      ...(text === undefined ? {} : { 'content-length': Buffer.byteLength(text) }),
      ...(text === undefined || options.raw !== undefined
        ? {}
        : { 'content-type': 'application/json' }),
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...options.headers,
    },
    ...(text === undefined ? {} : { body: text }),
  })
  const answer = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text: answer,
    body: answer === '' ? undefined : JSON.parse(answer),
  }
}

export interface SignedIn {
  readonly id: string
  readonly email: string
  readonly password: string
  readonly token: string
  readonly refreshToken: string
  readonly sessionId: string
}

/** An account that has signed in through the API. */
export async function signedIn(server: TestServer, account: NewAccount = {}): Promise<SignedIn> {
  const { id, email, password } = await createAccount(server, account)
  return { id, email, password, ...(await signIn(server, { email, password })) }
}

export async function signIn(
  server: TestServer,
  { email, password }: { email: string; password: string },
) {
  const { status, body } = await api(server, 'POST /sign-in/email', { email, password })
  if (status !== 200) throw new Error(`sign-in answered ${status} ${JSON.stringify(body)}`)
  return {
    token: body.access_token as string,
    refreshToken: body.refresh_token as string,
    sessionId: body.session.id as string,
  }
}

/**
 * The code of an authenticator, `steps` of 30 s from now; not in the last seconds of a step, so
 * that it is still the same step when it arrives.
 */
export async function totp(secret: string, steps = 0): Promise<string> {
  const left = 30_000 - (Date.now() % 30_000)
  if (left < 3000) await sleep(left + 50)
  return generate({ secret, epoch: Math.floor(Date.now() / 1000) + steps * 30 })
}

/** Turns two-step sign-in on; the code of the current step is still unused afterwards. */
export async function withMfa(
  server: TestServer,
  { token }: { token: string },
): Promise<{ secret: string; recoveryCodes: string[] }> {
  const begun = await api(server, 'POST /enable/mfa', {}, { token })
  const { secret } = begun.body
  const done = await api(
    server,
    'POST /enable/mfa',
    { token: begun.body.token, code: await totp(secret, -1) },
    { token },
  )
  if (done.status !== 200) throw new Error(`enable/mfa answered ${done.status} ${done.text}`)
  return { secret, recoveryCodes: done.body.recovery_codes }
}

/** As if the person had signed in so long ago. */
export async function age(
  server: TestServer,
  { sessionId }: { sessionId: string },
  seconds: number,
): Promise<void> {
  await server.context.database.pool.query(
    `update "session" set "authenticated_at" = now() - $2::int * interval '1 second',
      "second_proved_at" = case when "second_proved_at" is not null then now() - $2::int * interval '1 second' end where "id" = $1`,
    [sessionId, seconds],
  )
}

/** What a live session gets from `/user/me`, and what an ended one gets. */
export async function isAlive(server: Target, token: string): Promise<boolean> {
  const { status } = await api(server, 'POST /user/me', undefined, { token })
  if (status !== 200 && status !== 401) throw new Error(`/user/me answered ${status}`)
  return status === 200
}

export async function canRefresh(server: Target, refreshToken: string): Promise<boolean> {
  const { status } = await api(server, 'PATCH /user/refresh', { refresh_token: refreshToken })
  if (status !== 200 && status !== 401) throw new Error(`/user/refresh answered ${status}`)
  return status === 200
}

/** A form post to an endpoint of the protocol. */
export async function form(
  server: Target,
  path: string,
  fields: Readonly<Record<string, string>>,
): Promise<ApiAnswer> {
  const body = new URLSearchParams(fields).toString()
  const response = await send(`${server.origin}${path}`, {
    method: 'POST',
    connect: server.address,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
      'x-forwarded-for': anyAddress(),
    },
    body,
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text === '' ? undefined : JSON.parse(text),
  }
}
