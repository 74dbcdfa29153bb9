import type { ArtifactStore } from './adapters/adapter.ts'
import type { LogoutNotice } from './back-channel-logout.ts'

/** Who tells the apps of a session that it has ended. */
export interface LogoutNotifier {
  noticesFor(sessionIds: readonly string[]): Promise<LogoutNotice[]>
  queue(notices: readonly LogoutNotice[]): Promise<void>
}

/**
 * Ends access at the protocol: sessions, grants, codes and tokens (PW-10, SE-06, SE-07). Lower
 * floors declare what they use of it.
 */
export class AccessRevoker {
  readonly #store: ArtifactStore
  readonly #logout: LogoutNotifier

  constructor({
    store,
    logout,
  }: { readonly store: ArtifactStore; readonly logout: LogoutNotifier }) {
    this.#store = store
    this.#logout = logout
  }

  /**
   * Everything of the account, but for one session if named. `sessionIds`: those that end by it,
   * whose apps are told.
   */
  async revokeAccount(
    accountId: string,
    {
      exceptSessionId,
      sessionIds = [],
    }: { readonly exceptSessionId?: string; readonly sessionIds?: readonly string[] } = {},
  ): Promise<void> {
    const notices = await this.#logout.noticesFor(sessionIds)
    await this.#store.revokeByAccount(
      accountId,
      exceptSessionId ? { exceptSessionUid: exceptSessionId } : {},
    )
    await this.#logout.queue(notices)
  }

  async revokeSession(sessionId: string): Promise<void> {
    const notices = await this.#logout.noticesFor([sessionId])
    await this.#store.revokeBySession(sessionId)
    await this.#logout.queue(notices)
  }

  async revokeApp(accountId: string, clientId: string): Promise<void> {
    await this.#store.revokeByAccountAndClient(accountId, clientId)
  }
}
