import { randomUUID } from 'node:crypto'
import type { Client, Provider } from 'oidc-provider'
import { z } from 'zod'
import type { EntityManager } from '../database/database.ts'
import type { Logger } from '../logger/logger.ts'
import {
  type DeliveryPolicy,
  type Handler,
  type Outbox,
  PermanentFailure,
  TemporaryFailure,
} from '../outbox/index.ts'
import { type Fetch, RequestRefused } from '../outgoing/guarded-fetch.ts'
import type { WaysOut } from '../outgoing/ways-out.ts'
import type { AdapterPayload } from './adapters/adapter.ts'
import { settingsOf } from './clients/settings.ts'

export interface BackChannelLogoutDeps {
  readonly em: EntityManager
  readonly outbox: Outbox
  readonly directory: { hearsOfLogout(clientId: string): Promise<boolean> }
  readonly findSession: (uid: string) => Promise<AdapterPayload | undefined>
  readonly ways: Pick<WaysOut, 'toPublic' | 'toOperators'>
  readonly logger: Logger
}

/**
 * One app that has to hear that one sign-in is over. `sid` is the app's own name for it, as in its
 * ID tokens. Open: a later version may have written more.
 */
const Notice = z.object({ clientId: z.string(), accountId: z.string(), sid: z.string() })
export type LogoutNotice = z.infer<typeof Notice>

/** Sooner and shorter than mail: a session that ended yesterday is over in most apps anyway. */
export const LOGOUT_POLICY: Partial<DeliveryPolicy> = {
  concurrency: 8,
  firstDelayMs: 5000,
  maxDelayMs: 3_600_000,
  maxAttempts: 12,
  maxAgeMs: 86_400_000,
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * OpenID Connect Back-Channel Logout 1.0 through the outbox: a person who signs out waits for no app,
 * and an app that is down hears later (LO-02).
 */
export class BackChannelLogout {
  readonly #deps: BackChannelLogoutDeps
  /** The one that runs now; a command has none, and delivers nothing. */
  #provider: Provider | undefined

  constructor(deps: BackChannelLogoutDeps) {
    this.#deps = deps
  }

  /** Who will have to hear of the end of these sessions; asked before they are gone. */
  async noticesFor(sessionIds: readonly string[]): Promise<LogoutNotice[]> {
    const sessions = await Promise.all(sessionIds.map((id) => this.#deps.findSession(id)))
    return sessions.flatMap((session) => {
      const { accountId, authorizations = {} } = session ?? {}
      return Object.entries(authorizations).flatMap(([clientId, { sid }]) =>
        accountId && sid ? [{ clientId, accountId, sid }] : [],
      )
    })
  }

  /**
   * Queues a logout token for each app that wants one. Never rejects: the person is signed out
   * whatever becomes of it.
   */
  async queue(notices: readonly LogoutNotice[]): Promise<void> {
    const { em, outbox, directory, logger } = this.#deps
    try {
      const wanted: LogoutNotice[] = []
      for (const notice of notices)
        if (await directory.hearsOfLogout(notice.clientId)) wanted.push(notice)
      if (wanted.length === 0) return
      await em.fork().transactional(async (tx) => {
        for (const notice of wanted) outbox.enqueue(tx, 'backchannel_logout', notice)
      })
    } catch (err) {
      logger.error(
        { event: 'backchannel_logout.unqueued', count: notices.length, err },
        'apps are not told that a session ended',
      )
    }
  }

  /**
   * Delivers the outbox's topic `backchannel_logout`: the token is made when it is sent, with the
   * keys of that moment.
   */
  readonly handler: Handler = async (body, { signal }) => {
    const notice = Notice.safeParse(body)
    if (!notice.success) throw new PermanentFailure('the message is not a logout notice')
    const provider = this.#provider
    if (!provider) throw new TemporaryFailure('no authorization server runs in this process')
    const client = await provider.Client.find(notice.data.clientId)
    const uri = client?.backchannelLogoutUri
    if (!client || !uri) return
    const token = await logoutToken(provider, client, notice.data)
    const status = await post(this.#wayTo(client), uri, token, signal)
    if (status === 200 || status === 204) return
    if (status === 400)
      throw new PermanentFailure(`client ${client.clientId} refused the logout token (400)`)
    throw new TemporaryFailure(`client ${client.clientId} answered ${status}`)
  }

  /** The provider's own end of a session goes through the queue as well, and it signs what is sent. */
  replaceIn(provider: Provider): void {
    this.#provider = provider
    const queue = this.queue.bind(this)
    provider.Client.prototype.backchannelLogout = async function backchannelLogout(
      this: Client,
      accountId: string,
      sid: string,
    ) {
      await queue([{ clientId: this.clientId, accountId, sid }])
    }
  }

  /** Only what the operator has registered may be in a private network (CL-04). */
  #wayTo(client: Client) {
    const { managed_by: kind, backchannel_http: isPlain = false } = settingsOf(client)
    const isOperators = kind === 'operator' || kind === 'config'
    const { ways } = this.#deps
    return isOperators ? ways.toOperators({ isPlain }) : ways.toPublic
  }
}

/**
 * `typ: logout+jwt`, two minutes, no nonce; `jti` of its own for every attempt, as a receiver
 * refuses one it has seen (2.4, 2.6).
 */
async function logoutToken(
  provider: Provider,
  client: Client,
  { accountId, sid }: LogoutNotice,
): Promise<string> {
  const { IdToken } = provider as unknown as { IdToken: IdTokenModel }
  const token = new IdToken({ sub: accountId }, { client, ctx: undefined })
  token.mask = { sub: null }
  token.set('events', { [EVENT]: {} })
  token.set('jti', randomUUID())
  token.set('sid', sid)
  return token.issue({ use: 'logout' })
}

async function post(
  fetch: Fetch,
  uri: string,
  logoutToken: string,
  signal: AbortSignal,
): Promise<number> {
  try {
    const body = new URLSearchParams({ logout_token: logoutToken }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return (await fetch(uri, { method: 'POST', redirect: 'manual', headers, body, signal })).status
  } catch (error) {
    if (error instanceof RequestRefused)
      throw new PermanentFailure(`the logout address may not be asked: ${error.message}`)
    throw new TemporaryFailure('the logout address does not answer')
  }
}

type IdTokenModel = new (
  claims: object,
  context: { client: Client; ctx: undefined },
) => {
  mask: object
  set(name: string, value: unknown): void
  issue(options: { use: 'logout' }): Promise<string>
}
