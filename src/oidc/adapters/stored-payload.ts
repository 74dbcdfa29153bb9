import { BoundedMap } from '../../bounded-map.ts'
import { SecretBox } from '../../crypto/secret-box.ts'
import type { AdapterPayload } from './adapter.ts'

/** What a store keeps of a payload: nothing in it opens anything (TK-13). */
export type StoredPayload = Readonly<Record<string, unknown>>

/** How the artifact was found, with the secret that found it. */
export type FoundBy = { readonly id: string } | { readonly lookup: string }

/**
 * - `jti` is the credential itself, and comes back with the id that finds the artifact.
 * - `consumed` is the store's own to keep, outside of the payload.
 * - An interaction is found by its id only, and names it in `returnTo`; it may also hold a session
 *   cookie, a device code and the
 * state of our pages. So all of it is encrypted under the id. The library never reads
 * `session.cookie` back: it is not kept.
 * - A device code is found by its id or its user code; each is encrypted under the other.
 */
export function toStored(model: string, id: string, payload: AdapterPayload): StoredPayload {
  const { jti: _jti, consumed: _consumed, ...rest } = payload
  if (model === 'Interaction')
    return { $sealed: seal(model, id, JSON.stringify(withoutCookie(rest))) }
  const { userCode, ...others } = rest
  if (model !== 'DeviceCode' || userCode === undefined) return rest
  return { ...others, $userCode: seal(model, id, userCode), $id: seal(model, userCode, id) }
}

export function fromStored(model: string, by: FoundBy, stored: StoredPayload): AdapterPayload {
  if ('$sealed' in stored && 'id' in by)
    return { ...(JSON.parse(open(model, by.id, stored['$sealed'])) as AdapterPayload), jti: by.id }
  const { $userCode, $id, ...payload } = stored
  if ('id' in by)
    return {
      ...payload,
      ...($userCode === undefined ? {} : { userCode: open(model, by.id, $userCode) }),
      jti: by.id,
    }
  return $id === undefined
    ? payload
    : { ...payload, userCode: by.lookup, jti: open(model, by.lookup, $id) }
}

function withoutCookie({ session, ...payload }: AdapterPayload): AdapterPayload {
  if (!session) return payload
  const { cookie: _cookie, ...rest } = session
  return { ...payload, session: rest }
}

/** An interaction is opened and sealed at every step. */
const boxes = new BoundedMap<SecretBox>(1000)

function boxOf(secret: string): SecretBox {
  const known = boxes.get(secret)
  if (known) return known
  const box = new SecretBox([secret])
  boxes.set(secret, box)
  return box
}

function seal(model: string, secret: string, text: string): string {
  return boxOf(secret).seal(text, `artifact ${model}`).toString('base64')
}

function open(model: string, secret: string, box: unknown): string {
  return boxOf(secret)
    .open(Buffer.from(String(box), 'base64'), `artifact ${model}`)
    .toString('utf8')
}
