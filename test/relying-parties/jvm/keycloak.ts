import { randomUUID } from 'node:crypto'
import { freePort } from '../../../src/embedded/free-port.ts'
import { totp } from '../../support/api.ts'
import { Browser } from '../../support/browser.ts'
import type { Settings } from '../../support/commands.ts'
import { openTlsFront } from '../../support/upstream/tls-front.ts'
import { start } from '../programs.ts'

/** As in `keycloak/pom.xml`. */
export const KEYCLOAK_VERSION = '26.7.3'

const SCRIPT = `keycloak/target/keycloak-${KEYCLOAK_VERSION}/bin/kc.sh`
const REALM = 'acme'
const ADMIN = { username: 'admin', password: 'admin of tests' }
/** Longer than any sign-in takes. */
const STEP_SECONDS = '3600'

export interface Employee {
  readonly username: string
  readonly email: string
  readonly password: string
  /** Of the authenticator app, for who has one. */
  readonly secret?: string
}

/** Keycloak by TLS, with the realm of a company, which its administrator sets up over REST. */
export class Keycloak implements AsyncDisposable {
  readonly issuer: string
  readonly #origin: string
  readonly #port: number
  readonly #owned: AsyncDisposableStack

  private constructor(origin: string, port: number, owned: AsyncDisposableStack) {
    this.issuer = `${origin}/realms/${REALM}`
    this.#origin = origin
    this.#port = port
    this.#owned = owned
  }

  static async start(): Promise<Keycloak> {
    await using undo = new AsyncDisposableStack()
    const front = undo.use(await openTlsFront())
    const port = await freePort()
    front.leadTo(port)
    // Options of the build are those of `keycloak/app.js`: it is built once for both.
    const options = ['--db=dev-mem', '--http-enabled=true', '--cache=local']
    const place = [`--hostname=${front.origin}`, `--http-port=${port}`]
    const program = await start(
      [SCRIPT, 'start-dev', ...place, ...options, '--proxy-headers=xforwarded'],
      {
        folder: import.meta.dirname,
        settings: {
          KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN.username,
          KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
        },
        port,
      },
    )
    undo.use(program)
    const keycloak = new Keycloak(front.origin, port, undo.move())
    await keycloak.#administer('POST', '', { realm: REALM, enabled: true })
    return keycloak
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }

  /** As its console does it, with what `gatehouse provider create` has printed. */
  async addClient(id: string, secret: string, printed: Settings): Promise<void> {
    await this.#administer('POST', `/${REALM}/clients`, {
      clientId: id,
      secret,
      redirectUris: [printed['redirect_uri']],
      attributes: {
        'pkce.code.challenge.method': 'S256',
        'backchannel.logout.url': printed['backchannel_logout_uri'],
        'backchannel.logout.session.required': 'true',
      },
      protocolMappers: [
        {
          name: 'amr',
          protocol: 'openid-connect',
          protocolMapper: 'oidc-amr-mapper',
          config: { 'id.token.claim': 'true', 'access.token.claim': 'false' },
        },
      ],
    })
  }

  async hire({ isVerified = true, secret }: { isVerified?: boolean; secret?: string } = {}) {
    const username = `ada-${randomUUID().slice(0, 8)}`
    const email = `${username}@acme.example`
    const password = 'correct horse battery staple'
    const otp = {
      type: 'otp',
      secretData: JSON.stringify({ value: secret }),
      credentialData: JSON.stringify({
        subType: 'totp',
        digits: 6,
        period: 30,
        algorithm: 'HmacSHA1',
        secretEncoding: 'BASE32',
      }),
    }
    await this.#administer('POST', `/${REALM}/users`, {
      username,
      email,
      emailVerified: isVerified,
      firstName: 'Ada',
      lastName: 'Lovelace',
      enabled: true,
      credentials: [{ type: 'password', value: password }, ...(secret ? [otp] : [])],
    })
    return { username, email, password, ...(secret ? { secret } : {}) } satisfies Employee
  }

  /** What `amr` says of each step. Of itself Keycloak says nothing. */
  async nameSteps(names: Readonly<Record<string, string>>): Promise<void> {
    const flows = `/${REALM}/authentication`
    const answer = await this.#administer('GET', `${flows}/flows/browser/executions`)
    for (const { id, providerId } of (await answer.json()) as Execution[]) {
      const name = names[providerId ?? '']
      if (name === undefined) continue
      await this.#administer('POST', `${flows}/executions/${id}/config`, {
        alias: `amr ${name}`,
        config: { 'default.reference.value': name, 'default.reference.maxAge': STEP_SECONDS },
      })
    }
  }

  browser(): Browser {
    const { host } = new URL(this.#origin)
    return new Browser(this.#origin, {
      connect: { host: '127.0.0.1', port: this.#port },
      headers: { 'x-forwarded-proto': 'https', 'x-forwarded-host': host },
    })
  }

  /** Somebody who signs in on its pages as often as they are asked, and is sent back. */
  as({ username, password, secret = '' }: Employee, browser = this.browser()) {
    return {
      authorize: async (request: URL | string): Promise<URL> => {
        let page = await browser.visit(request)
        if (!page.isForeign) page = await browser.submit('kc-form-login', { username, password })
        if (!page.isForeign)
          page = await browser.submit('kc-otp-login-form', { otp: await totp(secret) })
        return page.url
      },
    }
  }

  /** On its own page for it, without any app. */
  async signOut(browser: Browser): Promise<void> {
    await browser.visit(`${this.issuer}/protocol/openid-connect/logout`)
    await browser.submit(0)
  }

  async #administer(method: string, path: string, body?: object): Promise<Response> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}/admin/realms${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await this.#token()}`,
        'content-type': 'application/json',
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }

  async #token(): Promise<string> {
    const at = '/realms/master/protocol/openid-connect/token'
    const answer = await fetch(`http://127.0.0.1:${this.#port}${at}`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', ...ADMIN }),
    })
    const { access_token: token = '' } = (await answer.json()) as { access_token?: string }
    return token
  }
}

interface Execution {
  readonly id: string
  readonly providerId?: string
}
