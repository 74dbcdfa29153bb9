import type { IncomingMessage } from 'node:http'
import type { Middleware } from 'koa'
import { AppError } from '../../errors.ts'

const FORM_LIMIT = 16 * 1024
const JSON_LIMIT = 16 * 1024
const MAX_KEYS = 100
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * A form as flat strings in `ctx.state.form`: a field that comes twice, or too many of them, is
 * refused (AZ-07, IN-02).
 */
export function formBody(): Middleware {
  return async (ctx, next) => {
    if (!ctx.is('application/x-www-form-urlencoded')) throw new AppError('unsupported_media_type')
    const text = await readText(ctx.req, FORM_LIMIT)
    if (!isDecodable(text)) throw new AppError('invalid_input')
    const fields = new URLSearchParams(text)
    const form: Record<string, string> = Object.create(null) as Record<string, string>
    let count = 0
    for (const [name, value] of fields) {
      if (name in form || FORBIDDEN.has(name) || ++count > MAX_KEYS)
        throw new AppError('invalid_input')
      form[name] = value
    }
    ctx.state.form = form
    await next()
  }
}

/** `URLSearchParams` replaces broken escapes by U+FFFD: two different passwords would become one. */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

interface JsonOptions {
  readonly isOptional?: boolean
}

/** Refuses what is no JSON by its headers alone, so that it can come before a limit. */
export function jsonOnly({ isOptional = false }: JsonOptions = {}): Middleware {
  return (ctx, next) => {
    if (!isEmpty(ctx.req)) {
      if (!ctx.is('application/json')) throw new AppError('unsupported_media_type')
    } else if (!isOptional) throw new AppError('invalid_input')
    return next()
  }
}

/**
 * A JSON object, not yet trusted: depth, keys, duplicates and prototype names are bounded here
 * (IN-02). After `jsonOnly`.
 */
export async function readJson(
  req: IncomingMessage,
  { isOptional = false }: JsonOptions = {},
): Promise<object> {
  const text = isEmpty(req) ? '' : await readText(req, JSON_LIMIT)
  return text === '' && isOptional ? {} : parseJson(text)
}

function isEmpty({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] === undefined && (length === undefined || length === '0')
}

async function readText(req: IncomingMessage, limit: number): Promise<string> {
  if (req.headers['content-encoding'] && req.headers['content-encoding'] !== 'identity')
    throw new AppError('unsupported_media_type')
  if (Number(req.headers['content-length'] ?? 0) > limit) throw new AppError('payload_too_large')
  const chunks: Buffer[] = []
  let size = 0
  // Leaving the loop must not destroy the socket: the refusal goes out on it.
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) throw new AppError('payload_too_large')
    chunks.push(chunk)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks))
  } catch (cause) {
    throw new AppError('invalid_input', { cause })
  }
}

function parseJson(text: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new AppError('invalid_input', { cause })
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new AppError('invalid_input')
  if (countKeys(value, 0) !== countNames(text)) throw new AppError('invalid_input')
  return value
}

/** Every string of a JSON text, and whether it is a name. */
const STRING = /"(?:[^"\\]|\\.)*"(\s*:)?/g

/** More names than parsed keys means that one came twice. */
function countNames(text: string): number {
  let count = 0
  for (const [, colon] of text.matchAll(STRING)) if (colon !== undefined) count++
  return count
}

function countKeys(value: unknown, depth: number): number {
  if (depth > 8) throw new AppError('invalid_input')
  if (Array.isArray(value))
    return value.reduce<number>((sum, item) => sum + countKeys(item, depth + 1), 0)
  if (value === null || typeof value !== 'object') return 0
  const keys = Object.keys(value)
  if (keys.length > MAX_KEYS || keys.some((key) => FORBIDDEN.has(key)))
    throw new AppError('invalid_input')
  return keys.reduce(
    (sum, key) => sum + countKeys((value as Record<string, unknown>)[key], depth + 1),
    keys.length,
  )
}
