import { isIPv6 } from 'node:net'
import { z } from 'zod'
import { parseDatabaseUrl } from './database-url.ts'
import { type AdjustableLimits, LIMITS } from './limits.ts'

export const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
/** 256 bits or more, in any spelling: hex, base64, or a long passphrase. */
export const secret = z.string().min(32, 'must be at least 32 characters (256 bits)').max(1024)
export const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
)
export const flag = z
  .enum(['true', 'false', '1', '0'], { error: 'must be true or false' })
  .transform((value) => value === 'true' || value === '1')

export const guesses = (name: keyof AdjustableLimits, meaning: string) =>
  z.coerce
    .number({ error: 'must be a number' })
    .int()
    .min(10)
    .max(10_000)
    .default(LIMITS[name].max)
    .describe(meaning)
export const databaseUrl = z.string().superRefine((url, context) => {
  try {
    parseDatabaseUrl(url)
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
  }
})

export const host = z
  .string()
  .min(1)
  .transform((value) => value.replace(/^\[(.+)\]$/, '$1'))
  .refine(
    (value) => !value.includes(':') || isIPv6(value),
    'must be an address or a host name, without a port',
  )
