import type { Minted, Spent } from './adapter.ts'
import { idDigest, indexOf } from './artifact-keys.ts'
import type { Answer, Entry, Found } from './redis-calls.ts'
import { payloadOf } from './redis-entry.ts'
import { nameOf } from './redis-keys.ts'
import { toStored } from './stored-payload.ts'

/** What is stored of one artifact; `wasFound` tells of a session whether this instance has seen it. */
export function entryOf(
  { model, id, payload, expiresIn }: Minted,
  wasFound: (sessionUid: string) => boolean,
): Entry {
  const {
    grantId = '',
    accountId = '',
    clientId = '',
    sessionUid = '',
    lookup,
  } = indexOf(model, id, payload)
  return {
    model,
    name: nameOf(model, idDigest(model, id), id),
    lookup,
    payload: toStored(model, id, payload),
    accountId,
    clientId,
    sessionUid,
    grantId,
    bind: bindingOf(model, sessionUid, payload),
    isSessionHeld: wasFound(sessionUid),
    consumedAt: typeof payload.consumed === 'number' ? payload.consumed * 1000 : undefined,
    ttl: expiresIn === undefined ? undefined : expiresIn * 1000,
  }
}

export function answerOf({ payload, expiresIn = 0 }: Minted): Answer {
  return { text: JSON.stringify(payload), ttl: expiresIn * 1000 }
}

export function spentIn(fields: Found['fields']): Spent {
  const of = (name: string) => fields.get(name) ?? ''
  return { clientId: of('k'), grantId: of('g'), sessionUid: of('s') }
}

/** A successor lives for as long as what it came of, at least. */
export function msLeft({ fields, now }: Found): number {
  const { exp } = payloadOf('RefreshToken', fields) ?? {}
  return typeof exp === 'number' ? Math.max(exp * 1000 - now, 0) : -1
}

/** An interaction is only seen with its session: it does not end with it. */
export function bindingOf(
  model: string,
  sessionUid: string,
  payload: { readonly expiresWithSession?: unknown },
): 'on' | 'off' | '' {
  if (sessionUid === '' || model === 'Interaction') return ''
  return payload.expiresWithSession === true ? 'on' : 'off'
}
