import type { Accent } from './accent.ts'
import type { Logo } from './brand-files.ts'
import { isDevelopment } from './development.ts'
import type { Env } from './env-schema.ts'
import { type AdjustableLimits, CAPS, LIFETIMES } from './limits.ts'
import type { ProofOfWork, RegistrationMode } from './registration-modes.ts'
import { type SignInRules, signInRules } from './sign-in-rules.ts'

/** Secrets in memory: newest first; every element at least 256 bits. */
export interface Secrets {
  readonly cookieKeys: readonly string[]
  readonly keyEncryptionKeys: readonly string[]
}

export interface Config {
  /** Without any convenience of development. */
  readonly production: boolean
  /** Inbox and demo also for callers who are not on this machine. */
  readonly devInbox: boolean
  /** Origin without a trailing slash; the only source of absolute URLs. */
  readonly issuer: string
  /** Undefined: every address of this machine, IPv6 and IPv4. */
  readonly host: string | undefined
  readonly port: number
  readonly dataDir: string
  readonly database: {
    readonly url: string
    readonly directUrl?: string | undefined
    readonly pool: number
    readonly embedded: boolean
  }
  readonly redis:
    | { readonly urls: readonly string[]; readonly sentinels: readonly string[] }
    | undefined
  readonly mail: { readonly smtpUrl: string | undefined; readonly from: string }
  readonly secrets: Secrets
  readonly localesDir: string | undefined
  readonly brand: {
    readonly name: string
    readonly logo?: Logo | undefined
    readonly accent?: Accent | undefined
    readonly css?: string | undefined
    readonly privacyUrl: string | undefined
    readonly termsUrl: string | undefined
  }
  readonly trustedProxyHops: number
  /** Whose people sign in here, for apps that ask by WebFinger. */
  readonly webFingerDomains: readonly string[]
  /** What of the operator's own networks may be spoken to. */
  readonly outgoing: { readonly privateNetworks: readonly string[]; readonly loopback: boolean }
  readonly limits: AdjustableLimits
  readonly signIn: SignInRules
  readonly registration: {
    readonly mode: RegistrationMode
    readonly domains: readonly string[]
    readonly showsDomains: boolean
  }
  /** Nobody fills in a sign-up in less, in seconds; 0 on a machine of development. */
  readonly fillSeconds: number
  readonly proofOfWork: ProofOfWork
  /** What everybody has to accept, if anything. */
  readonly terms: Terms | undefined
  /** Web origins besides the issuer's whose pages may use passkeys of this server. */
  readonly relatedOrigins: readonly string[]
  readonly recoveryHoldHours: number
  readonly refreshLeewaySeconds: number
  readonly auditRetentionDays: number
  readonly keys: {
    readonly rotationDays: number
    readonly publishSeconds: number
    readonly retireSeconds: number
    readonly pollSeconds: number
  }
  readonly argon2: {
    readonly memoryKib: number
    readonly passes: number
    readonly peppers: readonly string[]
  }
  readonly logLevel: string
  readonly lifetimes: { readonly [K in keyof typeof LIFETIMES]: number }
}

/** A text of the operator's, in the version that counts. */
export interface Terms {
  readonly version: string
  readonly url: string
}

/**
 * What only the running process knows: the database that was started and the secrets that were read
 * or made.
 */
export interface Resolved {
  readonly databaseUrl: string
  readonly embedded: boolean
  readonly secrets: Secrets
}

export function buildConfig(env: Env, { databaseUrl, embedded, secrets }: Resolved): Config {
  const production = !isDevelopment(env)
  const issuer = new URL(env.ISSUER ?? `http://localhost:${env.PORT}`).origin
  return {
    production,
    devInbox: env.DEV_INBOX,
    issuer,
    host: env.HOST ?? (production ? undefined : '127.0.0.1'),
    port: env.PORT,
    dataDir: env.DATA_DIR,
    database: {
      url: databaseUrl,
      directUrl: env.DATABASE_DIRECT_URL,
      pool: env.DATABASE_POOL,
      embedded,
    },
    redis: env.REDIS_URL
      ? {
          urls: env.REDIS_URL.split(',').map((url) => url.trim()),
          sentinels: env.REDIS_SENTINELS ?? [],
        }
      : undefined,
    mail: { smtpUrl: env.SMTP_URL, from: env.MAIL_FROM ?? `no-reply@${new URL(issuer).hostname}` },
    secrets,
    localesDir: env.LOCALES_DIR,
    brand: {
      name: env.BRAND_NAME,
      logo: env.BRAND_LOGO,
      accent: env.BRAND_ACCENT,
      css: env.BRAND_CSS,
      privacyUrl: env.PRIVACY_URL,
      termsUrl: env.TERMS_URL,
    },
    trustedProxyHops: env.TRUSTED_PROXY_HOPS,
    webFingerDomains: env.WEBFINGER_DOMAINS ?? [],
    outgoing: {
      privateNetworks: env.OUTGOING_PRIVATE_NETWORKS ?? [],
      loopback: env.OUTGOING_LOOPBACK_FOR_TESTS,
    },
    limits: {
      'sign-in': env.LIMITS_SIGN_IN,
      verify: env.LIMITS_VERIFY,
      sensitive: env.LIMITS_SENSITIVE,
    },
    signIn: signInRules(env),
    registration: {
      mode: env.REGISTRATION,
      domains: env.REGISTRATION_DOMAINS ?? [],
      showsDomains: env.REGISTRATION_SHOW_DOMAINS,
    },
    fillSeconds: production ? CAPS.fillSeconds : 0,
    proofOfWork: env.PROOF_OF_WORK,
    terms:
      env.TERMS_VERSION === undefined || env.TERMS_URL === undefined
        ? undefined
        : { version: env.TERMS_VERSION, url: env.TERMS_URL },
    relatedOrigins: env.RELATED_ORIGINS ?? [],
    recoveryHoldHours: env.RECOVERY_HOLD_HOURS,
    refreshLeewaySeconds: env.REFRESH_LEEWAY_SECONDS,
    auditRetentionDays: env.AUDIT_RETENTION_DAYS,
    keys: {
      rotationDays: env.KEY_ROTATION_DAYS,
      publishSeconds: Math.min(LIFETIMES.keyPublish, (env.KEY_ROTATION_DAYS * 86_400) / 2),
      retireSeconds: LIFETIMES.keyRetire,
      pollSeconds: LIFETIMES.keyPoll,
    },
    argon2: {
      memoryKib: env.ARGON2_MEMORY_KIB,
      passes: env.ARGON2_PASSES,
      peppers: env.PEPPERS ?? [],
    },
    logLevel: env.LOG_LEVEL ?? (production ? 'info' : 'warn'),
    lifetimes: LIFETIMES,
  }
}
