import { createHash, randomBytes } from 'node:crypto'
import type { Json } from './api.ts'
import { Browser, type Page } from './browser.ts'
import { createAccount, createClient, type NewClient, PASSWORD, REDIRECT_URI } from './factories.ts'
import { send } from './http.ts'
import type { TestServer } from './server.ts'

type Server = Pick<TestServer, 'origin'>
type Fields = Readonly<Record<string, string | readonly string[] | undefined>>

export const VERIFIER = 'the-verifier-of-these-tests-is-43-characters-long'
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

/** A correct authorization request; `undefined` takes a parameter away, a list sends it several times. */
export function authorizationUrl({ origin }: Server, clientId: string, change: Fields = {}): URL {
  const url = new URL('/auth', origin)
  url.search = encode({
    client_id: clientId,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'openid',
    state: 'the-state',
    nonce: 'the-nonce',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...change,
  })
  return url
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Where the browser is sent, if anywhere. */
  readonly location: URL | undefined
  readonly body: Json
}

/** An authorization request by a browser without cookies. */
export async function authorize(
  server: Server,
  clientId: string,
  change: Fields = {},
): Promise<Answer> {
  return get(authorizationUrl(server, clientId, change), { accept: 'text/html' })
}

export async function get(
  url: URL,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return answerOf(await send(url, { headers }), url)
}

/** A form post to an endpoint of the protocol. */
export async function post(
  server: Server,
  path: string,
  fields: Fields,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const url = new URL(path, server.origin)
  const body = encode(fields)
  const sent = {
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }
  return answerOf(await send(url, { method: 'POST', headers: sent, body }), url)
}

export function basic({
  clientId,
  clientSecret = '',
}: {
  clientId: string
  clientSecret?: string | undefined
}): { authorization: string } {
  const pair = [clientId, clientSecret].map(encodeURIComponent).join(':')
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}

export interface SignedInApp {
  readonly browser: Browser
  readonly account: { readonly id: string; readonly email: string }
  readonly client: {
    readonly clientId: string
    readonly clientSecret: string | undefined
    readonly redirectUri: string
  }
  /** Goes through `/auth` with the session that is there, and returns the code. */
  code(change?: Fields): Promise<string>
  redeem(code: string, change?: Fields, headers?: Readonly<Record<string, string>>): Promise<Answer>
  refresh(
    token: string,
    change?: Fields,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>
}

/** A person signed in to an app of the operator's own, which asks for no consent. */
export async function signedInApp(
  server: TestServer,
  options: NewClient & { readonly redirectUri?: string } = {},
): Promise<SignedInApp> {
  const { redirectUri, ...wanted } = options
  const registered = await createClient(server, { firstParty: true, ...wanted })
  const client = { ...registered, redirectUri: redirectUri ?? registered.redirectUri }
  const account = await createAccount(server)
  const browser = new Browser(server.origin)
  await browser.visit(
    authorizationUrl(server, client.clientId, { redirect_uri: client.redirectUri }),
  )
  await signIn(browser, account.email)
  const own = client.clientSecret === undefined ? {} : basic(client)
  const named = client.clientSecret === undefined ? { client_id: client.clientId } : {}
  return {
    browser,
    account,
    client,
    async code(change = {}) {
      const { url } = await browser.visit(
        authorizationUrl(server, client.clientId, { redirect_uri: client.redirectUri, ...change }),
      )
      const code = url.searchParams.get('code')
      if (!code) throw new Error(`no code at ${url.href}`)
      return code
    },
    redeem: (code, change = {}, headers = own) =>
      post(
        server,
        '/token',
        {
          grant_type: 'authorization_code',
          code,
          redirect_uri: client.redirectUri,
          code_verifier: VERIFIER,
          ...named,
          ...change,
        },
        headers,
      ),
    refresh: (token, change = {}, headers = own) =>
      post(
        server,
        '/token',
        { grant_type: 'refresh_token', refresh_token: token, ...named, ...change },
        headers,
      ),
  }
}

export function signIn(browser: Browser, email: string): Promise<Page> {
  return browser.submit('/login', { username: email, password: PASSWORD })
}

/** A text that is in no store. */
export const nobody = (): string => randomBytes(32).toString('base64url')

function encode(fields: Fields): string {
  const pairs = Object.entries(fields).flatMap(([name, value]): [string, string][] =>
    value === undefined
      ? []
      : typeof value === 'string'
        ? [[name, value]]
        : value.map((one): [string, string] => [name, one]),
  )
  return new URLSearchParams(pairs).toString()
}

async function answerOf(response: Response, base: URL): Promise<Answer> {
  const text = await response.text()
  const location = response.headers.get('location')
  const isJson =
    /^application\/([\w.-]+\+)?json/.test(response.headers.get('content-type') ?? '') && text !== ''
  return {
    status: response.status,
    headers: response.headers,
    text,
    location: location === null ? undefined : new URL(location, base),
    body: isJson ? JSON.parse(text) : undefined,
  }
}
