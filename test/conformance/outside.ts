import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv, promisify } from 'node:util'
import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose'
import {
  CLAIMS,
  type Clients,
  type Credentials,
  configurationFor,
  ROLES,
  registrationOf,
} from '../../conformance/plans.ts'
import type { Json } from '../support/api.ts'
import { Browser, type Page } from '../support/browser.ts'
import { type Outcome, run, type Settings, settingsFor } from '../support/commands.ts'
import { createAccount } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { type ServerOptions, startServer, type TestServer } from '../support/server.ts'

/** As behind a proxy that ends TLS: for everybody outside it is https. */
const ISSUER = 'https://id.example.org'
const SETUP = join(import.meta.dirname, '../../conformance/setup.ts')
export const SUITE = { base: 'https://suite.example', alias: 'gatehouse' }
export const CALLBACK = `${SUITE.base}/test/a/${SUITE.alias}/callback`
export const SIGNED_OUT = `${SUITE.base}/test/a/${SUITE.alias}/post_logout_redirect`

export type Params = Readonly<Record<string, string | undefined>>
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Json
}
export interface Tokens {
  readonly access_token: string
  readonly id_token: string
  readonly refresh_token?: string
  readonly scope: string
  /** Of the ID token, verified. */
  readonly claims: JWTPayload
}

const fresh = (what: string): string => `${what}-${randomBytes(9).toString('base64url')}`

/**
 * A running server and what an outside client knows of it: the documents that it publishes, and the
 * configuration that the official suite gets.
 */
export class Outside implements AsyncDisposable {
  readonly server: TestServer
  readonly clients: Clients
  readonly person: { readonly id: string; readonly email: string; readonly password: string }
  readonly metadata: Json
  readonly jwks: Json

  readonly #folder: string

  private constructor(
    found: Pick<Outside, 'server' | 'clients' | 'person' | 'metadata' | 'jwks'>,
    folder: string,
  ) {
    this.server = found.server
    this.clients = found.clients
    this.person = found.person
    this.metadata = found.metadata
    this.jwks = found.jwks
    this.#folder = folder
  }

  /** The person has every claim; the clients come from the command line, as the operator makes them. */
  static async start(options: Pick<ServerOptions, 'config'> = {}): Promise<Outside> {
    const server = await startServer({ ...options, issuer: ISSUER })
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-conformance-'))
    const person = await createAccount(server)
    await said(server, folder, 'account', 'set', person.email, ...CLAIMS)
    const made: [string, Credentials][] = []
    for (const role of ROLES) {
      const registration = registrationOf(role, SUITE, { backchannelLogout: false })
      made.push([role, await registered(server, folder, registration)])
    }
    const clients = Object.fromEntries(made) as unknown as Clients
    const told = configurationFor({ issuer: ISSUER, suite: SUITE, clients, person })
    const read = async (url: string): Promise<Json> =>
      (await send(url, { connect: server.address })).json()
    const metadata = await read(told.server.discoveryUrl)
    const jwks = await read(metadata.jwks_uri)
    return new Outside({ server, clients, person, metadata, jwks }, folder)
  }

  /** The command of the server's operator. */
  gatehouse(...args: string[]): Promise<Outcome> {
    return run(args, settings(this.server, this.#folder))
  }

  /** Another client, as the operator makes it. */
  register(registration: readonly string[]): Promise<Credentials> {
    return registered(this.server, this.#folder, registration)
  }

  /** What `conformance/setup.ts` says on the server's machine. */
  async setup(...args: string[]): Promise<string> {
    const env = settings(this.server, this.#folder)
    const { stdout } = await promisify(execFile)(process.execPath, [SETUP, ...args], { env })
    return stdout
  }

  browser(): Browser {
    return new Browser(ISSUER, { connect: this.server.address })
  }

  async request(
    url: string,
    {
      method = 'GET',
      form,
      headers = {},
    }: { method?: string; form?: Params; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const body = form && query(form).toString()
    const response = await send(url, {
      method,
      connect: this.server.address,
      headers: {
        ...(body === undefined
          ? {}
          : {
              'content-type': 'application/x-www-form-urlencoded',
              'content-length': String(Buffer.byteLength(body)),
            }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    })
    const isJson = response.headers.get('content-type')?.includes('json') === true
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? ((await response.json()) as Json) : undefined,
    }
  }

  tokenRequest(
    form: Params,
    { client_id: id, client_secret: secret }: Credentials,
  ): Promise<Answer> {
    const pair = Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)
    return this.request(this.metadata.token_endpoint, {
      method: 'POST',
      form,
      headers: { authorization: `Basic ${pair.toString('base64')}` },
    })
  }

  userinfo(token: string): Promise<Answer> {
    return this.request(this.metadata.userinfo_endpoint, {
      headers: { authorization: `Bearer ${token}` },
    })
  }

  /** As OpenID Connect Core 3.1.3.7 asks. */
  async verified(idToken: string, { client_id: audience }: Credentials): Promise<JWTPayload> {
    const keys = createLocalJWKSet(this.jwks)
    const { payload, protectedHeader } = await jwtVerify(idToken, keys, {
      issuer: ISSUER,
      audience,
    })
    if (protectedHeader.alg !== 'RS256') throw new Error(`signed by ${protectedHeader.alg}`)
    return payload
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop()
    await rm(this.#folder, { recursive: true })
  }
}

/** The server sends no mail. */
const settings = (server: TestServer, folder: string): Settings => ({
  ...settingsFor(server, folder),
  DEV_INBOX: '1',
  OUTGOING_LOOPBACK_FOR_TESTS: String(server.config.outgoing.loopback),
})

async function said(server: TestServer, folder: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(args, settings(server, folder))
  if (code !== 0) throw new Error(`gatehouse ${args.join(' ')}: ${stderr}`)
  return stdout
}

async function registered(
  server: TestServer,
  folder: string,
  registration: readonly string[],
): Promise<Credentials> {
  const printed = parseEnv(await said(server, folder, 'client', 'create', ...registration))
  const { OIDC_CLIENT_ID: id = '', OIDC_CLIENT_SECRET: secret = '' } = printed
  return { client_id: id, client_secret: secret }
}

/** One person at one browser, on the way to one client and back. */
export class Visit {
  readonly outside: Outside
  readonly client: Credentials
  readonly browser: Browser
  readonly #mode: string | undefined

  constructor(
    outside: Outside,
    {
      mode,
      client = outside.clients.client,
    }: { mode?: string | undefined; client?: Credentials } = {},
  ) {
    this.outside = outside
    this.client = client
    this.browser = outside.browser()
    this.#mode = mode
  }

  /** A request without PKCE, as the plans send it. */
  params(change: Params = {}): Params {
    return {
      client_id: this.client.client_id,
      redirect_uri: CALLBACK,
      response_type: 'code',
      response_mode: this.#mode,
      scope: 'openid',
      state: fresh('state'),
      nonce: fresh('nonce'),
      ...change,
    }
  }

  open(params: Params): Promise<Page> {
    return this.browser.visit(
      `${this.outside.metadata.authorization_endpoint}?${query(params).toString()}`,
    )
  }

  /** Signs in and allows, where the pages ask for that, until there is an answer or another page. */
  async throughPages(): Promise<{ page: Page; signIns: number }> {
    const { browser } = this
    const { email, password } = this.outside.person
    for (let signIns = 0, hops = 0; hops < 5; hops += 1) {
      if (browser.page.step === 'login') {
        await browser.submit('/login', { username: email, password })
        signIns += 1
      } else if (browser.page.step === 'consent') {
        await browser.submit('/consent', {}, { button: 'allow' })
      } else return { page: browser.page, signIns }
    }
    throw new Error(`no end at ${browser.page.url.href}`)
  }

  /** What came back at the callback, by the way that was asked for. */
  answer(): URLSearchParams {
    const { page } = this.browser
    if (this.#mode === 'form_post') {
      const [form] = page.forms
      if (form?.action.href !== CALLBACK)
        throw new Error(`no form at ${page.url.href}: ${page.words}`)
      return new URLSearchParams(
        form.fields.flatMap(({ name, value }): [string, string][] => (name ? [[name, value]] : [])),
      )
    }
    if (!page.isForeign || page.url.origin + page.url.pathname !== CALLBACK)
      throw new Error(`not at the callback: ${page.url.href} ${page.words}`)
    return page.url.searchParams
  }

  /** A whole request: its answer, which has to carry `state` and `iss`, and how often the person signed in. */
  async authorize(
    change: Params = {},
  ): Promise<{ answer: URLSearchParams; signIns: number; params: Params }> {
    const params = this.params(change)
    await this.open(params)
    const { signIns } = await this.throughPages()
    const answer = this.answer()
    if ((answer.get('state') ?? undefined) !== params['state'] || answer.get('iss') !== ISSUER)
      throw new Error(`wrong state or iss: ${answer.toString()}`)
    return { answer, signIns, params }
  }

  codeForm(code: string, form: Params = {}): Params {
    return { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, ...form }
  }

  /** Of a code: tokens as OpenID Connect Core 3.1.3.3 has them. */
  async redeem(
    answer: URLSearchParams,
    { nonce, form }: { nonce?: string | undefined; form?: Params } = {},
  ): Promise<Tokens> {
    const code = answer.get('code')
    if (!code) throw new Error(`no code: ${answer.toString()}`)
    const { status, body, headers } = await this.outside.tokenRequest(
      this.codeForm(code, form),
      this.client,
    )
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
    if (body.token_type !== 'Bearer' || headers.get('cache-control') !== 'no-store')
      throw new Error('no Bearer token, or one that is cached')
    const claims = await this.outside.verified(body.id_token, this.client)
    if (claims['nonce'] !== nonce) throw new Error(`nonce ${String(claims['nonce'])}`)
    return { ...body, claims }
  }

  /** Request, pages, answer and tokens. */
  async signIn(change: Params = {}, form?: Params): Promise<Tokens & { readonly signIns: number }> {
    const { answer, signIns, params } = await this.authorize(change)
    const tokens = await this.redeem(answer, {
      nonce: params['nonce'],
      ...(form ? { form } : {}),
    })
    return { ...tokens, signIns }
  }
}

export function query(params: Params): URLSearchParams {
  return new URLSearchParams(
    Object.entries(params).filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
}
