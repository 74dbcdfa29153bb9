import type { Found } from './redis-calls.ts'

type Reply = readonly unknown[]

/** What the records say now, for what is stamped with them: account (epoch, client, kept session, kept grant), session, grant. */
export interface Records {
  readonly account: Reply
  readonly session: unknown
  readonly grant: unknown
}

export function fieldsOf(flat: unknown): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  const list = flat as readonly string[]
  for (let at = 0; at + 1 < list.length; at += 2) fields.set(list[at] ?? '', list[at + 1] ?? '')
  return fields
}

/** Whether every epoch that the artifact was stamped with still stands. A record that is missing ends it. */
export function stands(fields: ReadonlyMap<string, string>, { account, session, grant }: Records): boolean {
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

export function isLive(session: ReadonlyMap<string, string>): boolean {
  return session.has('i') && !session.has('x')
}

/** Reads the reply of a script that looks on: fields, time, account, session, grant. */
export function standing(reply: unknown): Found | undefined {
  const [flat, now, account, session, grant] = reply as [unknown, number, Reply, unknown, unknown]
  const fields = fieldsOf(flat)
  return fields.size > 0 && stands(fields, { account, session, grant }) ? { fields, now } : undefined
}

/** Epochs that a kept session or grant was stamped with before everything else ended. */
function isKept(kept: unknown, stamp: string): boolean {
  return typeof kept === 'string' && kept.split('|').includes(stamp)
}
