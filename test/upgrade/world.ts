import * as oidc from 'openid-client'
import pg from 'pg'
import { type Balancer, startBalancer } from '../support/balancer.ts'
import { createEmptyDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { REDIRECT_URI } from '../support/factories.ts'
import { RelyingParty } from '../support/relying-party.ts'
import { type StorageName, startStorage } from '../support/storages.ts'
import { APPS_HOST } from './apps-host.ts'
import { Instance } from './instance.ts'
import { PROJECT } from './previous.ts'

const SECRETS = {
  COOKIE_KEYS: 'a-secret-that-signs-the-cookies-of-this-run',
  KEY_ENCRYPTION_KEYS: 'a-secret-that-encrypts-the-keys-of-this-run',
}

/** The previous commit's code and this one's on one storage, behind one address. */
export class World implements AsyncDisposable {
  readonly previous: Instance
  readonly current: Instance
  readonly #front: Balancer
  readonly #pool: pg.Pool
  readonly #owned: AsyncDisposableStack
  readonly #read = new Set<string>()

  /** Nothing is started, and the database has no tables. */
  static async prepare(storage: StorageName, previousRoot: string): Promise<World> {
    await using undo = new AsyncDisposableStack()
    const database = await createEmptyDatabase()
    undo.defer(() => database.drop())
    const { redis } = undo.use(await startStorage(storage))
    const front = undo.use(await startBalancer())
    const env = {
      ...SECRETS,
      ISSUER: front.origin,
      DATABASE_URL: database.url,
      ...(redis ? { REDIS_URL: redis.url } : {}),
      MAIL_FROM: 'no-reply@id.example.com',
      TRUSTED_PROXY_HOPS: '1',
    }
    const pool = new pg.Pool({ connectionString: database.url })
    undo.defer(() => pool.end())
    const previous = undo.use(await Instance.prepare(previousRoot, env))
    const current = undo.use(await Instance.prepare(PROJECT, env))
    return new World({ previous, current, front, pool, owned: undo.move() })
  }

  private constructor(parts: {
    previous: Instance
    current: Instance
    front: Balancer
    pool: pg.Pool
    owned: AsyncDisposableStack
  }) {
    this.previous = parts.previous
    this.current = parts.current
    this.#front = parts.front
    this.#pool = parts.pool
    this.#owned = parts.owned
  }

  get origin(): string {
    return this.#front.origin
  }

  get address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: Number(new URL(this.origin).port) }
  }

  /** Requests that were answered with a fault of the server, or not at all. */
  get failures(): readonly string[] {
    return this.#front.failures
  }

  /** What both wrote about faults. */
  get log(): string {
    return this.previous.log + this.current.log
  }

  /** Who serves from now on, request by request in turn. */
  serve(...instances: readonly Instance[]): void {
    const addresses = instances.map(({ address }) => address)
    this.#front.targets.splice(0, Number.POSITIVE_INFINITY, ...addresses)
  }

  /** An app that one of the two registers by its command line. */
  async register(by: Instance): Promise<RelyingParty> {
    const notices = `https://${APPS_HOST}/logout`
    const options = ['--name', 'Plant Diary', '--redirect', REDIRECT_URI]
    options.push('--backchannel-logout', notices)
    const made = await by.command<{ OIDC_CLIENT_ID: string; OIDC_CLIENT_SECRET: string }>(
      'client',
      'create',
      ...options,
    )
    const client = { clientId: made.OIDC_CLIENT_ID, clientSecret: made.OIDC_CLIENT_SECRET }
    const config = await oidc.discovery(
      new URL(this.origin),
      client.clientId,
      {},
      oidc.ClientSecretBasic(client.clientSecret),
      { execute: [oidc.allowInsecureRequests] },
    )
    return new RelyingParty(config, { ...client, redirectUri: REDIRECT_URI })
  }

  /** The code in the next mail to this address, whichever code sent it. */
  async codeFor(address: string): Promise<string> {
    let found: string | undefined
    const look = () => {
      const mail = [this.previous, this.current]
        .flatMap(({ smtp }) => smtp.mails)
        .find(({ to, messageId }) => to.includes(address) && !this.#read.has(messageId))
      if (!mail) return false
      this.#read.add(mail.messageId)
      found = /(?<!\d)\d{3} ?\d{3}(?!\d)/.exec(mail.text)?.[0].replace(' ', '')
      return found !== undefined
    }
    await eventually(look, true, 30_000)
    return found ?? ''
  }

  /** Resolves once an app has been told of the end of this session. */
  heardOf(sid: string): Promise<void> {
    const told = () => [this.previous, this.current].some(({ apps }) => apps.heard.includes(sid))
    return eventually(told, true, 30_000)
  }

  /** Messages that are still to be delivered, or never will be, with the reason. */
  async undelivered(): Promise<string[]> {
    const { rows } = await this.#pool.query<{ text: string }>(
      `select concat_ws(' ', topic, failed_at is not null, last_error) as text
       from outbox_message where delivered_at is null`,
    )
    return rows.map(({ text }) => text)
  }

  /** What waits for its next attempt waits no longer. */
  async hurry(): Promise<void> {
    const due =
      'update outbox_message set available_at = now(), attempts = 0 where last_error is not null'
    await this.#pool.query(due)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync()
  }
}
