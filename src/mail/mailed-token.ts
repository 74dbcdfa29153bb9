/** What a mail with a code carries. */
export interface MailedToken {
  readonly code: string
  readonly linkSecret: string
  readonly expiresAt: Date
}

/** A token, or how to get one. The function is called only if the mail may be sent. */
export type TokenSource<T extends MailedToken> = T | (() => Promise<T>)

/** Seconds left, as a person is told them: up to the full minute. */
export function wholeMinutes(until: Date): number {
  return Math.max(1, Math.ceil((until.getTime() - Date.now()) / 60_000)) * 60
}
