import type { Found } from './redis-calls.ts'

type Reply = readonly unknown[]

/**
 * What the records say now, for what is stamped with them: account (epoch, client, kept session,
 * kept grant), session, grant.
 */
export interface Records {
  readonly account: Reply
  readonly session: unknown
  readonly grant: unknown
}

/**
 * What never changes of an artifact is in one field, `m`, as `write` in `lua/functions.ts` has put
 * it there.
 */
function fieldsOf(flat: unknown): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  const add = (list: readonly string[]): void => {
    for (let at = 0; at + 1 < list.length; at += 2) {
      const [name = '', value = ''] = [list[at], list[at + 1]]
      if (name === 'm') add(value.split(' '))
      else fields.set(name, value)
    }
  }
  add(flat as readonly string[])
  return fields
}

/**
 * Whether every epoch that the artifact was stamped with is still valid; on one server a script
 * knows. A record that is missing ends it.
 */
export function stands(
  fields: ReadonlyMap<string, string>,
  { account, session, grant }: Records,
): boolean {
  if (fields.has('a')) {
    const [epoch, client, keptSession, keptGrant] = account
    const stamp = fields.get('ae')
    if (!epoch || !stamp) return false
    if (epoch !== stamp && !isKept(keptSession, stamp) && !isKept(keptGrant, stamp)) return false
    if (fields.has('k') && (client ?? '') !== (fields.get('ce') ?? '')) return false
  }
  if (fields.has('b') && session !== fields.get('se')) return false
  return !fields.has('ge') || grant === fields.get('ge')
}

/** Fields and time, as a script answers, if there is anything. */
export function foundIn(reply: unknown): Found | undefined {
  if (!reply) return undefined
  const [flat, now] = reply as [unknown, number]
  const fields = fieldsOf(flat)
  return fields.size > 0 ? { fields, now } : undefined
}

export function isLive(session: ReadonlyMap<string, string>): boolean {
  return session.has('i') && !session.has('x')
}

/** Epochs that a kept session or grant was stamped with before everything else ended. */
function isKept(kept: unknown, stamp: string): boolean {
  return typeof kept === 'string' && kept.split('|').includes(stamp)
}
