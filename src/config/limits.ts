/** Requests that one key, a network or an address, may make in a window. */
export interface Limit {
  readonly max: number
  readonly windowSeconds: number
}

/** Every HTTP limit by name (AA-02). Counts are per network (IPv4 address or IPv6 /64) and window. */
export const LIMITS = {
  'sign-up': { max: 100, windowSeconds: 3600 },
  'sign-in': { max: 60, windowSeconds: 300 },
  verify: { max: 60, windowSeconds: 300 },
  /** Signatures of passkeys: nobody guesses them, and judging one takes work. */
  passkey: { max: 60, windowSeconds: 300 },
  /** Challenges for them, which cost next to nothing. */
  options: { max: 300, windowSeconds: 300 },
  resend: { max: 100, windowSeconds: 3600 },
  forgot: { max: 100, windowSeconds: 3600 },
  refresh: { max: 600, windowSeconds: 300 },
  account: { max: 600, windowSeconds: 300 },
  sensitive: { max: 60, windowSeconds: 300 },
  authorize: { max: 600, windowSeconds: 300 },
  interaction: { max: 300, windowSeconds: 300 },
  upstream: { max: 60, windowSeconds: 300 },
  token: { max: 3000, windowSeconds: 60 },
} as const satisfies Record<string, Limit>

export type LimitName = keyof typeof LIMITS

/** Limits on guessing: they count what fails, and the operator may widen them (`LIMITS_SIGN_IN`, …). */
export const ADJUSTABLE = ['sign-in', 'verify', 'sensitive'] as const satisfies readonly LimitName[]
export type AdjustableLimits = Readonly<Record<(typeof ADJUSTABLE)[number], number>>

/** Limits that do not depend on the network: what one account, address or challenge can be asked. */
export const CAPS = {
  /** Failures before an account's password path slows down (RL-01). */
  passwordFailures: 10,
  /** Consecutive failures after which only a reset or a known device helps (RL-01). */
  passwordFailuresAbsolute: 100,
  /** First delay after the cap, doubled per failure up to the maximum. */
  lockoutFirstSeconds: 30,
  lockoutMaxSeconds: 3600,
  /**
   * Wrong one-time codes per account and window, and wrong mailed codes per address and purpose in
   * pages that did not ask for them (RL-06).
   */
  codeFailures: 5,
  codeWindowSeconds: 900,
  /** Tries at one mailed code in the page that asked for it. */
  codeTries: 5,
  /**
   * Wrong tries an hour at mailed codes that only the page takes that asked: of an address, over all
   * its codes and pages.
   */
  boundCodesPerHour: 10,
  /** Tries at one MFA challenge (RL-06). */
  challengeTries: 3,
  /**
   * Successes that give back what they took of such a limit: for an account in its window, and for
   * a network in terms of the limit.
   */
  successesPerAccount: 30,
  successesTimes: 10,
  /** Mails that one network may ask for, for one address (AA-01). */
  mailsPerHour: 3,
  mailsPerDay: 6,
  /** What all networks together may ask for. */
  mailsPerHourTogether: 10,
  mailsPerDayTogether: 20,
  /** What the owner may ask for besides, signed in or in a browser that has been. */
  mailsPerHourOwn: 3,
  /** Mails over the whole server and hour (AA-01). */
  mailsPerHourGlobal: 10_000,
  /** The same for forms that a program seems to have filled in, and how long such a mail waits. */
  mailsPerHourSuspected: 30,
  suspectedWaitSeconds: 60,
  /** Nobody fills in a sign-up in less. */
  fillSeconds: 2,
  sessionsPerAccount: 48,
  passkeysPerAccount: 20,
  /** At upstream providers. */
  identitiesPerAccount: 10,
} as const

/** Characters of a `client_id`, registered here or anywhere: it may be a URL. */
export const MAX_CLIENT_ID = 512

/** What the parameter `claims` may hold: characters, claims, values of one. */
export const CLAIMS_PARAMETER = { maxLength: 4096, maxNames: 40, maxValues: 20 } as const

/** Secrets of one client at a time. */
export const MAX_CLIENT_SECRETS = 5
/** The longest life that one can be given. */
export const MAX_CLIENT_SECRET_DAYS = 3650

/** Groups that one account may be in: userinfo names them all. */
export const MAX_GROUPS_OF_ACCOUNT = 1000
/** What a claim of a token may hold; what is more is for userinfo alone (OIDC Core 5.6.2). */
export const CLAIM_IN_TOKEN = { values: 200, bytes: 4096 } as const

/** Lifetimes in seconds. */
export const LIFETIMES = {
  accessToken: 600,
  authorizationCode: 60,
  idToken: 3600,
  refreshTokenAbsolute: 30 * 86_400,
  refreshTokenIdle: 14 * 86_400,
  /** The longest leeway of a client that does not authenticate (TK-03). */
  refreshLeewayPublic: 10,
  /** The longest that assertions of a client may live, if it is registered for longer ones (TK-07). */
  clientAssertion: 3600,
  grant: 30 * 86_400,
  interaction: 3600,
  sessionIdle: 3600,
  sessionAbsolute: 86_400,
  sessionRemembered: 30 * 86_400,
  code: 600,
  /** From the end of the wait of a recovery, or from an operator's link on. */
  recoveryLink: 72 * 3600,
  operatorsLink: 3600,
  /** After the link of a recovery was used: to make a new passkey or password. */
  recoveryGrant: 3600,
  /** No recovery begins after one was stopped. */
  recoveryStopped: 86_400,
  /** A passkey that a recovery took the place of may report it, and is not removed. */
  lateReport: 7 * 86_400,
  changeEmailUndo: 72 * 3600,
  pendingSignUp: 86_400,
  /** Of a passkey (of a page that waits for autofill: as long as its sign-in), or of work. */
  challenge: 600,
  /** To accept the terms at an API. */
  termsToken: 600,
  mfaChallenge: 600,
  mfaEnrolment: 600,
  /** At a provider, and then between its word and what the person decides. */
  upstreamFlow: 600,
  arrival: 600,
  /** What an app redeems for a sign-in at a provider that was finished in a browser. */
  upstreamCode: 120,
  /** Authentication older than this must be repeated for sensitive actions (SE-10). */
  freshAuthentication: 600,
  /** A logout token of a provider is remembered for longer than it is taken. */
  upstreamLogout: 600,
  deleteGrace: 14 * 86_400,
  /** How long a passkey is not offered again on a device where the person did not want one. */
  passkeyDeclined: 90 * 86_400,
  /** How long relying parties may keep our JWKS (Cache-Control of `/jwks`). */
  jwksCache: 300,
  /**
   * A new signing key is published this long before it signs, or half of a key's age before, if
   * that is less: there are caches that keep the JWKS for hours.
   */
  keyPublish: 86_400,
  /** A retired signing key stays published this long: longer than any token it signed. */
  keyRetire: 7200,
  /**
   * The public half of a key that has signed verifies `id_token_hint` for this long: apps keep ID
   * tokens as long as sessions.
   */
  hintKeys: 2 * 365 * 86_400,
  keyPoll: 10,
} as const

/** What an operator may choose for one client, in seconds. */
export const CLIENT_LIFETIMES = {
  /** Of an opaque token, which can be called back; one for an API lives no longer than the API says. */
  accessToken: { min: 60, max: 86_400 },
  refreshIdle: { min: 600, max: LIFETIMES.refreshTokenAbsolute },
} as const

/** What one connection may cost (F21). */
export const CONNECTIONS = {
  /** From the connection, or the end of the request before, to the end of the headers. */
  headersSeconds: 10,
  /** To the end of the body. */
  requestSeconds: 15,
  /** Without a byte in either direction while an answer is under way. */
  silentSeconds: 30,
  /** Between two requests: longer than the 90 s of Go's and Traefik's pools, so that they close first. */
  idleSeconds: 95,
  headerBytes: 32_768,
  requestsPerConnection: 10_000,
} as const

/** What the server takes from others' servers: answers in general, and pictures (CL-03, CL-04). */
export const OUTGOING = {
  answerBytes: 64 * 1024,
  pictureBytes: 256 * 1024,
  /** How long a server that people sign in with may take for one answer. */
  providerMs: 5000,
} as const

/** What is known of a server that people sign in with, in milliseconds. */
export const UPSTREAM = {
  /** Its metadata as they are; and with its keys, while it gives no new ones. */
  freshMs: 3_600_000,
  staleMs: 86_400_000,
  firstPauseMs: 1000,
  maxPauseMs: 60_000,
} as const
