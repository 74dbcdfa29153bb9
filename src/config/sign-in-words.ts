/** What a sign-in may begin with. */
export const FIRST_METHODS = ['password', 'passkey', 'email-code'] as const
/** What it must reach: one factor, two, or two that resist phishing. */
export const LEVELS = ['1fa', '2fa', 'phr'] as const
export type RequiredLevel = (typeof LEVELS)[number]
