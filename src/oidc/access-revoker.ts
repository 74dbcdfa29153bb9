import { z } from 'zod'
import type { EntityManager } from '../database.ts'
import { type DeliveryPolicy, type Handler, type Outbox, PermanentFailure, Unreachable } from '../outbox.ts'
import type { ArtifactStore } from './adapters/adapter.ts'
import { StoreUnavailable } from './adapters/unavailable.ts'
import type { LogoutNotice } from './back-channel-logout.ts'

/** Who tells the apps of a session that it has ended. */
export interface LogoutNotifier {
  noticesFor(sessionIds: readonly string[]): Promise<LogoutNotice[]>
  queue(notices: readonly LogoutNotice[]): Promise<void>
}

export interface AccessRevokerDeps {
  readonly store: ArtifactStore
  readonly logout: LogoutNotifier
  readonly em: EntityManager
  readonly outbox: Outbox
}

/** What has to end: everything of the account, but for one session if named. `sessionIds`: those that end by it, whose apps are told. */
const Ending = z.strictObject({ accountId: z.string(), exceptSessionId: z.string().optional(), sessionIds: z.array(z.string()) })
type Ending = z.infer<typeof Ending>

const TOPIC = 'end_access'
/** Longer than ending takes when nothing is in its way. */
const HEAD_START_MS = 10_000

/** Until it is done: no token lives longer than this. */
export const ENDING_POLICY: Partial<DeliveryPolicy> = { timeoutMs: 10_000, maxPauseMs: 2000, maxDelayMs: 60_000, maxAgeMs: 30 * 86_400_000 }

/** Ends access at the protocol: sessions, grants, codes and tokens (PW-10, SE-06, SE-07). Lower floors declare what they use of it. */
export class AccessRevoker {
  readonly #deps: AccessRevokerDeps

  constructor(deps: AccessRevokerDeps) {
    this.#deps = deps
  }

  /**
   * The account's new state is committed when it is asked for, and the caller cannot ask again: so the intention is stored first
   * and the outbox carries it out if this call fails or its process dies.
   */
  async revokeAccount(
    accountId: string,
    { exceptSessionId, sessionIds = [] }: { readonly exceptSessionId?: string; readonly sessionIds?: readonly string[] } = {},
  ): Promise<void> {
    const { em, outbox } = this.#deps
    const ending = { accountId, ...(exceptSessionId ? { exceptSessionId } : {}), sessionIds: [...sessionIds] }
    const own = em.fork()
    const id = outbox.enqueue(own, TOPIC, ending, { availableAt: new Date(Date.now() + HEAD_START_MS) })
    await own.flush()
    await this.#end(ending)
    await outbox.withdraw(own, id)
  }

  async revokeSession(sessionId: string): Promise<void> {
    const { store, logout } = this.#deps
    const notices = await logout.noticesFor([sessionId])
    await store.revokeBySession(sessionId)
    await logout.queue(notices)
  }

  async revokeApp(accountId: string, clientId: string): Promise<void> {
    await this.#deps.store.revokeByAccountAndClient(accountId, clientId)
  }

  /** Carries out the outbox's topic `end_access`. */
  readonly handler: Handler = async (body) => {
    const ending = Ending.safeParse(body)
    if (!ending.success) throw new PermanentFailure('the message does not say what to end')
    try {
      await this.#end(ending.data)
    } catch (error) {
      throw error instanceof StoreUnavailable ? new Unreachable('the storage of sessions and tokens cannot be used') : error
    }
  }

  async #end({ accountId, exceptSessionId, sessionIds }: Ending): Promise<void> {
    const { store, logout } = this.#deps
    const notices = await logout.noticesFor(sessionIds)
    await store.revokeByAccount(accountId, exceptSessionId ? { exceptSessionUid: exceptSessionId } : {})
    await logout.queue(notices)
  }
}
