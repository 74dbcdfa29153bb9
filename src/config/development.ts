import type { Env } from './env-schema.ts'

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

export function isLoopback(hostname: string): boolean {
  return (
    /^(.+\.)?localhost$/.test(hostname) ||
    hostname === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  )
}
