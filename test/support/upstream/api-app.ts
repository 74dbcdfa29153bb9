import { createHash, randomBytes } from 'node:crypto'
import { type ApiAnswer, api } from '../api.ts'
import type { Browser, Page } from '../browser.ts'
import { createClient, type NewClient } from '../factories.ts'
import type { TestServer } from '../server.ts'
import { browse, FROM_ELSEWHERE } from './coming.ts'

const WEB = 'https://plants.example.org/signed-in'
export const NATIVE = 'org.example.plants:/signed-in'

type Provides = { authorize(request: URL | string): Promise<URL> }

/** An app with its own screens, whose people come by a provider in a browser that it opens. */
export class ApiApp {
  readonly server: TestServer
  readonly clientId: string
  readonly redirectUri: string
  verifier = randomBytes(32).toString('base64url')

  static async register(server: TestServer, client: NewClient = {}): Promise<ApiApp> {
    const wanted = { redirectUris: [WEB], accountApi: true, ...client }
    const { clientId, redirectUri } = await createClient(server, wanted)
    return new ApiApp(server, clientId, redirectUri)
  }

  static async native(server: TestServer): Promise<ApiApp> {
    return ApiApp.register(server, { secret: null, type: 'native', redirectUris: [NATIVE] })
  }

  private constructor(server: TestServer, clientId: string, redirectUri: string) {
    this.server = server
    this.clientId = clientId
    this.redirectUri = redirectUri
  }

  begin(body: Readonly<Record<string, unknown>> = {}, provider = 'acme'): Promise<ApiAnswer> {
    const challenge = createHash('sha256').update(this.verifier).digest('base64url')
    return api(this.server, `POST /upstream/${provider}`, {
      client_id: this.clientId,
      redirect_uri: this.redirectUri,
      code_challenge: challenge,
      state: 'of the app',
      ...body,
    })
  }

  /** The address to open. */
  async url(provider = 'acme'): Promise<string> {
    const { status, text, body } = await this.begin({}, provider)
    if (status !== 200) throw new Error(`It answered ${status} ${text}`)
    return body.url
  }

  /** A browser that it opens, as far as the provider. */
  async open(): Promise<Browser> {
    const browser = browse(this.server)
    await browser.visit(await this.url(), FROM_ELSEWHERE)
    return browser
  }

  /** There and back, to the app or to the question. */
  async come(op: Provides): Promise<Page> {
    const browser = await this.open()
    return browser.visit(await op.authorize(browser.page.url), FROM_ELSEWHERE)
  }

  /** The code with which it came back. */
  async code(op: Provides): Promise<string> {
    const { url, words } = await this.come(op)
    const code = url.searchParams.get('code')
    if (!code) throw new Error(`It came back with ${url.href} ${words}`)
    return code
  }

  redeem(code: string, verifier = this.verifier): Promise<ApiAnswer> {
    return api(this.server, 'POST /sign-in/upstream', { code, code_verifier: verifier })
  }
}
