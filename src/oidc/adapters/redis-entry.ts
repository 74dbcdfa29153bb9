import { randomToken } from '../../crypto/token.ts'
import { ANSWER } from './artifact-keys.ts'
import type { Answer, Entry, SessionEntry } from './redis-calls.ts'
import { KEYS } from './redis-keys.ts'
import type { StoredPayload } from './stored-payload.ts'

/** Epochs need only never meet by chance. */
const EPOCH_BITS = 72

export const freshEpoch = (): string => randomToken(EPOCH_BITS)

export function modeOf(model: string): 'code' | 'absent' | 'replace' {
  if (model === 'AuthorizationCode') return 'code'
  return model === 'ReplayDetection' ? 'absent' : 'replace'
}

/** Milliseconds, or nothing for ever. */
export function ttlOf(ttl: number | undefined): string {
  return ttl === undefined ? '' : String(Math.round(ttl))
}

/** What is spent, and its answer. */
export function spendingKeys(model: string, name: string): string[] {
  return [KEYS.artifact(model, name), KEYS.artifact(ANSWER, name)]
}

/** How long the spent one stays, and of its answer how long and what, which is empty if none is kept. */
export function spendingArgs(answer: Answer | undefined, keepMs: number | undefined): string[] {
  return [ttlOf(keepMs), ttlOf(answer?.ttl), answer?.text ?? '']
}

/** Field and value in turn; empty values are not stored. */
export function argumentsOf(entry: Entry): string[] {
  const { model, payload, accountId, clientId, sessionUid, grantId, bind, lookup } = entry
  const id = lookup?.toString('base64url') ?? ''
  const fields = {
    a: accountId,
    k: accountId ? clientId : '',
    s: sessionUid,
    g: grantId,
    b: bind === 'on' ? bind : '',
    l: id,
  }
  return ['p', textOf(model, payload, fields), ...Object.entries(fields).flat()]
}

export function sessionText({ payload, accountId }: SessionEntry): string {
  return textOf('Session', payload, { a: accountId })
}

type Beside = readonly (readonly [member: string, field: string])[]

const OF_TOKEN: Beside = [
  ['accountId', 'a'],
  ['clientId', 'k'],
  ['sessionUid', 's'],
  ['grantId', 'g'],
]
/**
 * Members of a payload that are a field of their own as well: they are stored once, there. So is
 * the kind, which the key names.
 */
const BESIDE: ReadonlyMap<string, Beside> = new Map([
  ['AccessToken', OF_TOKEN],
  ['AuthorizationCode', OF_TOKEN],
  ['RefreshToken', OF_TOKEN],
  ['Grant', OF_TOKEN.slice(0, 2)],
  ['Session', OF_TOKEN.slice(0, 1)],
])

function textOf(
  model: string,
  payload: StoredPayload,
  fields: Readonly<Record<string, string>>,
): string {
  const beside = BESIDE.get(model)
  if (!beside) return JSON.stringify(payload)
  const rest: Record<string, unknown> = { ...payload }
  for (const [member, field] of beside) if (rest[member] === fields[field]) rest[member] = undefined
  if (rest['kind'] === model) rest['kind'] = undefined
  return JSON.stringify(rest)
}

/** The payload with what its other fields hold; `undefined` if there is none. */
export function payloadOf(
  model: string,
  fields: ReadonlyMap<string, string>,
): StoredPayload | undefined {
  const text = fields.get('p')
  if (text === undefined) return undefined
  const payload = JSON.parse(text) as Record<string, unknown>
  const beside = BESIDE.get(model)
  if (!beside) return payload
  for (const [member, field] of beside) if (fields.has(field)) payload[member] ??= fields.get(field)
  payload['kind'] ??= model
  return payload
}
