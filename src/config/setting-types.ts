import { isIPv6 } from 'node:net'
import { z } from 'zod'
import { type Accent, accentFault, accentFrom } from './accent.ts'
import { parseDatabaseUrl } from './database-url.ts'
import { type AdjustableLimits, LIMITS } from './limits.ts'

export const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
/** As a browser writes it: https, no default port, no path. */
export const webOrigin = z
  .string()
  .refine((value) => value.startsWith('https://') && URL.parse(value)?.origin === value, {
    error: 'must be https origins such as https://app.example.org, separated by commas',
  })
/** 256 bits or more, in any spelling: hex, base64, or a long passphrase. */
export const secret = z.string().min(32, 'must be at least 32 characters (256 bits)').max(1024)
export const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
)
/** Some of a few words, each once. */
export const oneOrMoreOf = <const T extends string>(words: readonly [T, ...T[]]) =>
  list.pipe(
    z
      .array(z.enum(words, { error: `must be of ${words.join(', ')}, separated by commas` }))
      .min(1, 'must not be empty')
      .transform((chosen) => [...new Set(chosen)]),
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

/** A domain as it is written in DNS: IDNs in punycode. */
export const domain = z
  .string()
  .toLowerCase()
  .regex(/^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]*[a-z][a-z0-9-]*$/, {
    error: 'must be domains such as example.org, separated by commas',
  })

/** What a function makes of the text; the sentence that it throws is the fault. */
export const made = <T>(make: (text: string) => T) =>
  z.string().transform((text, context): T => {
    try {
      return make(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })

export const accent = made((text): Accent => {
  const [light = '', dark, ...more] = text.toLowerCase().split(/\s*,\s*/)
  if ([light, dark ?? light].some((color) => !/^#[0-9a-f]{6}$/.test(color)) || more.length > 0)
    throw new Error('must be a colour like #14553f, or two with a comma between them')
  const fault = accentFault('light', light) ?? (dark && accentFault('dark', dark))
  if (fault) throw new Error(fault)
  return accentFrom(light, dark)
})
