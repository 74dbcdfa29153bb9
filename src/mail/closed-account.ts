/**
 * An account that nobody can sign in to, or by a provider only: mails to its address say that
 * instead of what they say to others.
 */
export type ClosedAccount =
  | { readonly elsewhere: string; readonly isKeepable?: undefined }
  | { readonly isKeepable: false }
  | {
      readonly isKeepable: true
      readonly deletesAt: Date
      readonly keep: { readonly linkSecret: string }
    }

/** Called only if the mail may be sent. */
export type ClosedState = () => Promise<ClosedAccount | undefined>
