import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { StartupError } from '../errors.ts'
import { forgetForeign, isOfService } from './foreign-variables.ts'
import { databaseUrl, flag, guesses, host, httpUrl, list, secret } from './setting-types.ts'

/**
 * Every setting. `describe` becomes the table in docs/operations.md; secrets may also be given as
 * `<NAME>_FILE`.
 */
export const EnvSchema = z.strictObject({
  NODE_ENV: z
    .enum(['production', 'development', 'test'])
    .default('development')
    .describe(
      '`production` turns every development convenience off and demands the settings below. So does an `ISSUER` elsewhere.',
    ),
  ISSUER: httpUrl
    .optional()
    .describe(
      'The public base URL, exactly as clients will see it in `iss`. Default `http://localhost:$PORT`; must be https unless it is this machine: loopback or `*.localhost`.',
    ),
  PORT: z.coerce
    .number({ error: 'must be a port number' })
    .int()
    .min(0)
    .max(65_535)
    .default(3000)
    .describe('Port to listen on.'),
  HOST: host
    .optional()
    .describe(
      'Address to listen on. Default `127.0.0.1` in development; in production every one of this machine, IPv6 and IPv4.',
    ),
  DATABASE_URL: databaseUrl
    .optional()
    .describe(
      'PostgreSQL to use: `postgres://user:password@host:port/database`, with `?sslmode=verify-full` over a network. Unset outside production: an embedded PostgreSQL under `DATA_DIR`.',
    ),
  DATABASE_DIRECT_URL: databaseUrl
    .optional()
    .describe(
      'PostgreSQL itself, where `DATABASE_URL` is a pooler: for notifications, locks and migrations. Default: `DATABASE_URL`.',
    ),
  DATABASE_POOL: z.coerce
    .number()
    .int()
    .min(2)
    .max(100)
    .default(10)
    .describe('Connections to PostgreSQL per process.'),
  REDIS_URL: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Redis for grants and rate limits: one URL, or several separated by commas for a Cluster. Unset: both live in PostgreSQL and in the process.',
    ),
  REDIS_SENTINELS: list
    .optional()
    .describe(
      'Sentinel addresses `host:port,host:port`; the master name is the path of `REDIS_URL` (`redis://mymaster`).',
    ),
  DATA_DIR: z
    .string()
    .min(1)
    .default('.data')
    .describe('Where development secrets and the embedded database live.'),
  SMTP_URL: z
    .url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// URL' })
    .optional()
    .describe(
      'Mail server. `smtp:` demands STARTTLS unless the host is loopback or `?requireTLS=false` is appended. Unset outside production: mail is kept in the dev inbox.',
    ),
  DEV_INBOX: flag
    .default(false)
    .describe(
      "Development for an `ISSUER` or callers that are not this machine (containers, `.test`): whoever reaches the server reads everybody's mail in `/dev/inbox`.",
    ),
  MAIL_FROM: z
    .string()
    .min(3)
    .max(254)
    .optional()
    .describe('Sender address of all mail. Default `no-reply@<issuer host>`.'),
  COOKIE_KEYS: list
    .pipe(z.array(secret).min(1))
    .optional()
    .describe('Secrets that sign cookies, newest first, separated by commas.'),
  KEY_ENCRYPTION_KEYS: list
    .pipe(z.array(secret).min(1))
    .optional()
    .describe(
      'Secrets that encrypt private keys and TOTP secrets at rest (AES-256-GCM), newest first, separated by commas.',
    ),
  BRAND_NAME: z
    .string()
    .min(1)
    .max(60)
    .default('Gatehouse')
    .describe('Name shown on pages and in mail.'),
  PRIVACY_URL: httpUrl.optional().describe('Linked at the foot of every page.'),
  TERMS_URL: httpUrl.optional().describe('Linked at the foot of every page.'),
  TRUSTED_PROXY_HOPS: z.coerce
    .number()
    .int()
    .min(0)
    .max(10)
    .default(0)
    .describe(
      'Reverse proxies in front whose X-Forwarded-For entry is believed. 0: the socket address counts.',
    ),
  LIMITS_SIGN_IN: guesses(
    'sign-in',
    'Wrong passwords of one network in five minutes. Raise it where many people share an address.',
  ),
  LIMITS_VERIFY: guesses('verify', 'Wrong codes and mailed links of one network in five minutes.'),
  LIMITS_SENSITIVE: guesses(
    'sensitive',
    'Sensitive calls and pages of one network in five minutes that did not succeed.',
  ),
  REQUIRE_MFA: flag.default(false).describe('Every account must use two-step sign-in.'),
  REFRESH_LEEWAY_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .max(60)
    .default(10)
    .describe(
      'How long a refresh token that was used gives the same answer again, and a second use of a code is refused without ending its family. 0: never. Apps that do not authenticate: 10 at most.',
    ),
  KEY_ROTATION_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3650)
    .default(90)
    .describe('Age at which a signing key is replaced by itself.'),
  AUDIT_RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .default(400)
    .describe('Age at which audit events are deleted; what remains can still be verified.'),
  ARGON2_MEMORY_KIB: z.coerce
    .number()
    .int()
    .min(19_456, 'must be at least 19456 (PW-07)')
    .max(4_194_304)
    .default(19_456)
    .describe('argon2id memory.'),
  ARGON2_PASSES: z.coerce
    .number()
    .int()
    .min(2, 'must be at least 2 (PW-07)')
    .max(20)
    .default(2)
    .describe('argon2id passes.'),
  PEPPERS: list
    .pipe(z.array(secret).min(1))
    .optional()
    .describe(
      'Optional secrets mixed into password hashes, newest first, separated by commas. Keep an old one in the list until no hash needs it: those who use it could not sign in.',
    ),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
    .optional()
    .describe('Default `info` in production, `warn` otherwise.'),
})
export type Env = z.infer<typeof EnvSchema>

export const SECRETS = [
  'DATABASE_URL',
  'DATABASE_DIRECT_URL',
  'REDIS_URL',
  'SMTP_URL',
  'COOKIE_KEYS',
  'KEY_ENCRYPTION_KEYS',
  'PEPPERS',
] as const
const PREFIX = 'GATEHOUSE_'
const EXAMPLES = /change[-_ ]?me|example|secret{2}|password|^(.)\1+$|0123456789abcdef0123/i

/**
 * The only reader of `process.env`. Throws `StartupError` naming every bad variable at once, never its value.
 * Unknown variables are errors only under the prefix `GATEHOUSE_`: the rest of the environment is not ours.
 */
export function readEnv(source: Readonly<Record<string, string | undefined>> = process.env): Env {
  const faults: string[] = []
  const input: Record<string, string> = {}
  const known = Object.keys(EnvSchema.shape)
  for (const name of known) {
    const value = source[name]
    if (value !== undefined && value !== '') input[name] = value
  }
  for (const name of SECRETS) {
    const file = source[`${name}_FILE`]
    if (!file) continue
    if (input[name]) faults.push(`${name}: set either ${name} or ${name}_FILE, not both`)
    try {
      input[name] = readFileSync(file, 'utf8').trim()
    } catch {
      faults.push(`${name}_FILE: cannot be read`)
    }
  }
  for (const [name, value] of Object.entries(source))
    if (name.startsWith(PREFIX) && !isOfService(name, value))
      faults.push(`${name}: unknown setting`)

  const parsed = EnvSchema.safeParse(input)
  if (!parsed.success)
    faults.push(...parsed.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`))
  const env = parsed.success ? parsed.data : undefined
  if (env) faults.push(...weaknesses(env))
  else if (input['NODE_ENV'] === 'production') faults.push(...missing(input, 'in production'))
  if (!env || faults.length > 0)
    throw new StartupError(
      `Invalid configuration:\n${[...new Set(faults)].map((fault) => `  ${fault}`).join('\n')}`,
    )
  return env
}

/** For the whole process, before anything reads it. */
export function clearEnvironment(): void {
  forgetForeign(process.env)
}

function weaknesses(env: Env): string[] {
  const faults: string[] = []
  const secrets = [
    ...(env.COOKIE_KEYS ?? []),
    ...(env.KEY_ENCRYPTION_KEYS ?? []),
    ...(env.PEPPERS ?? []),
  ]
  if (new Set(secrets).size < secrets.length)
    faults.push('COOKIE_KEYS, KEY_ENCRYPTION_KEYS, PEPPERS: each secret must be used once only')
  for (const name of ['COOKIE_KEYS', 'KEY_ENCRYPTION_KEYS', 'PEPPERS'] as const)
    if (env[name]?.some((value) => EXAMPLES.test(value)))
      faults.push(`${name}: looks like an example value; make one with "openssl rand -base64 48"`)
  if (env.ISSUER) {
    const issuer = new URL(env.ISSUER)
    if (issuer.search || issuer.hash || issuer.username || issuer.password)
      faults.push('ISSUER: must have no query, fragment or user')
    if (issuer.pathname !== '/')
      faults.push('ISSUER: must have no path; give Gatehouse a host of its own')
    if (issuer.protocol === 'http:' && !isLoopback(issuer.hostname))
      faults.push('ISSUER: must be https unless the host is loopback')
  }
  if (env.DEV_INBOX && env.NODE_ENV === 'production')
    faults.push('DEV_INBOX: refused in production')
  if (env.DEV_INBOX && env.SMTP_URL)
    faults.push('DEV_INBOX: there is no inbox with SMTP_URL; set one of them')
  if (env.NODE_ENV === 'production') faults.push(...missing(env, 'in production'))
  else if (!isDevelopment(env))
    faults.push(
      ...missing(env, 'for an issuer that is not this machine; DEV_INBOX=1 makes it development'),
    )
  return faults
}

/**
 * A missing NODE_ENV alone does not make a public server one of development: the issuer is this
 * machine, or the operator has said so.
 */
export function isDevelopment({ NODE_ENV, ISSUER, DEV_INBOX }: Env): boolean {
  return (
    NODE_ENV !== 'production' &&
    (DEV_INBOX || ISSUER === undefined || isLoopback(new URL(ISSUER).hostname))
  )
}

function missing(given: Readonly<Record<string, unknown>>, where: string): string[] {
  const required = ['ISSUER', 'DATABASE_URL', 'COOKIE_KEYS', 'KEY_ENCRYPTION_KEYS', 'SMTP_URL']
  const faults = required
    .filter((name) => given[name] === undefined)
    .map((name) => `${name}: required ${where}`)
  if (typeof given['ISSUER'] === 'string' && !given['ISSUER'].startsWith('https://'))
    faults.push(`ISSUER: must be https ${where}`)
  return faults
}

export function isLoopback(hostname: string): boolean {
  return (
    /^(.+\.)?localhost$/.test(hostname) ||
    hostname === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  )
}
