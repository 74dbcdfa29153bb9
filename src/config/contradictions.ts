import { isDevelopment, isLoopback } from './development.ts'
import type { Env } from './env-schema.ts'
import { signInContradictions } from './sign-in-rules.ts'

const EXAMPLES = /change[-_ ]?me|example|secret{2}|password|^(.)\1+$|0123456789abcdef0123/i

/** What is wrong with settings that are right one by one. */
export function contradictions(env: Env): string[] {
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
  if (env.OUTGOING_LOOPBACK_FOR_TESTS && !isDevelopment(env))
    faults.push('OUTGOING_LOOPBACK_FOR_TESTS: refused in production')
  if (env.REGISTRATION === 'domains' && !env.REGISTRATION_DOMAINS)
    faults.push('REGISTRATION_DOMAINS: required with REGISTRATION=domains')
  if (env.TERMS_VERSION !== undefined && env.TERMS_URL === undefined)
    faults.push('TERMS_URL: required with TERMS_VERSION')
  if (env.DEV_INBOX && env.SMTP_URL)
    faults.push('DEV_INBOX: there is no inbox with SMTP_URL; set one of them')
  faults.push(...signInContradictions(env))
  if (env.NODE_ENV === 'production') faults.push(...missing(env, 'in production'))
  else if (!isDevelopment(env))
    faults.push(
      ...missing(env, 'for an issuer that is not this machine; DEV_INBOX=1 makes it development'),
    )
  return faults
}

/** What a public server must be given. */
export function missing(given: Readonly<Record<string, unknown>>, where: string): string[] {
  const required = ['ISSUER', 'DATABASE_URL', 'COOKIE_KEYS', 'KEY_ENCRYPTION_KEYS', 'SMTP_URL']
  const faults = required
    .filter((name) => given[name] === undefined)
    .map((name) => `${name}: required ${where}`)
  if (typeof given['ISSUER'] === 'string' && !given['ISSUER'].startsWith('https://'))
    faults.push(`ISSUER: must be https ${where}`)
  return faults
}
