import type { Announcements } from '../../feed/announcements.ts'
import type { Logger } from '../../logger/logger.ts'
import type { AuthorizationServer } from '../authorization-server.ts'
import type { KeyTiming } from './key-schedule.ts'
import type { SigningKeys } from './signing-keys.ts'

export interface KeyWatchDeps {
  readonly keys: SigningKeys
  readonly server: AuthorizationServer
  readonly timing: KeyTiming
  readonly announcements: Announcements
  readonly logger: Logger
}

const HOUR_MS = 3_600_000

/**
 * Follows the keys in the database: at the moments that are written there, and when another
 * instance announces a change. While announcements may go unheard it looks every few seconds.
 */
export class KeyWatch implements Disposable {
  readonly #deps: KeyWatchDeps
  #timer: NodeJS.Timeout | undefined
  #lastRotation = 0

  constructor(deps: KeyWatchDeps) {
    this.#deps = deps
    const again = () => this.#again()
    deps.announcements.follow('signing_key', { changed: again, missed: again })
  }

  start(): void {
    this.#schedule(0)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Nothing before the start and after the end. */
  #again(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#schedule(0)
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#tick(), delayMs)
    this.#timer.unref()
  }

  async #tick(): Promise<void> {
    const { keys, server, timing, announcements, logger } = this.#deps
    const running = this.#timer
    const patienceMs = announcements.isLive ? HOUR_MS : timing.pollSeconds * 1000
    let delayMs = patienceMs
    try {
      if (Date.now() - this.#lastRotation > HOUR_MS) {
        for (const kid of await keys.rotateDue())
          logger.info({ event: 'key.rotated', kid }, 'signing key rotated')
        this.#lastRotation = Date.now()
      }
      const next = await server.reloadKeys()
      if (next) delayMs = Math.min(delayMs, Math.max(1, next.getTime() - Date.now()))
    } catch (error) {
      logger.warn(
        { event: 'keys.unreadable', err: error },
        'signing keys cannot be read; the known ones stay in use',
      )
    }
    if (this.#timer === running && running !== undefined) this.#schedule(delayMs)
  }
}
