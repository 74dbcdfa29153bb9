import { randomToken } from '../../crypto/token.ts'
import type { AdapterPayload, ContextAdapter, InContext, Minted, UseLedger } from './adapter.ts'
import { ANSWER, idDigest, lookupDigest } from './artifact-keys.ts'
import { alreadyConsumed, fromUse, isForgiven, replayed } from './consumption.ts'
import { answerOf, entryOf, msLeft, spentIn } from './redis-artifact.ts'
import type { Calls, Consumed, Entry, Found } from './redis-calls.ts'
import { payloadOf } from './redis-entry.ts'
import { nameOf } from './redis-keys.ts'
import type { Rotations } from './rotations.ts'
import { answerIn, successorIn } from './stored-answers.ts'
import { type FoundBy, fromStored } from './stored-payload.ts'

export interface RedisAdapterDeps {
  readonly calls: Calls
  readonly uses: UseLedger | undefined
  readonly rotations: Rotations
  readonly leewaySeconds: (clientId: string) => number
  readonly revokeGrant: (grantId: string) => Promise<void>
}

/** How long a spent refresh token stays where PostgreSQL remembers it: longer than any leeway. */
const SPENT_MS = 600_000
/** What is worth something to a person who has seen it used. */
const REMEMBERED = new Set(['AuthorizationCode', 'RefreshToken'])

/** One model's artifacts in Redis. */
export class RedisAdapter implements ContextAdapter {
  readonly #model: string
  readonly #deps: RedisAdapterDeps

  constructor(model: string, deps: RedisAdapterDeps) {
    this.#model = model
    this.#deps = deps
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const { calls, rotations } = this.#deps
    const entry = this.#entry({ model: this.#model, id, payload, expiresIn })
    if (this.#model === 'Session') {
      await calls.putSession({ ...entry, proof: rotations.proofFor(entry.sessionUid) ?? '' })
    } else if (!(await calls.put(entry)) && this.#model === 'ReplayDetection') {
      throw await replayed()
    }
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const { calls } = this.#deps
    const name = this.#name(id)
    const found = await (this.#model === 'Session'
      ? calls.findSession(name)
      : calls.find(this.#model, name))
    return this.#present(found, { id }) ?? this.#ofUse(id)
  }

  async findInContext(id: string): Promise<InContext | undefined> {
    const found = await this.#deps.calls.findInContext(this.#model, this.#name(id))
    const token = this.#present(found?.token, { id })
    if (!found || !token) return undefined
    const { grantId = '', sessionUid = '' } = token
    return {
      token,
      grant: this.#present(found.grant, { id: grantId }, 'Grant'),
      session: this.#present(found.session, { lookup: sessionUid }, 'Session'),
      isSpent: found.token.fields.has('c') && token.consumed === undefined,
    }
  }

  /**
   * What PostgreSQL remembers decides which answer is the one: a server that took over without
   * having heard of the use may hold a second. It may be told of the use here, before the request
   * that made it has come to that.
   */
  async findAnswer(id: string): Promise<string | undefined> {
    const { calls, uses } = this.#deps
    const found = await calls.find(ANSWER, nameOf(ANSWER, idDigest(ANSWER, id), id))
    const kept = found && answerIn(payloadOf(ANSWER, found.fields))
    const successor = kept && (await calls.find(this.#model, kept.next))
    if (!successor || successor.fields.has('c')) return undefined
    const use = {
      ...spentIn(successor.fields),
      leftMs: msLeft(successor),
      model: this.#model,
      id,
      next: kept.next,
    }
    const earlier = await uses?.earlierUse(use)
    return earlier && earlier.next !== kept.next ? undefined : kept.$answer
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    if (this.#model !== 'Session') return undefined
    return this.#present(await this.#deps.calls.findSessionByUid(uid), { lookup: uid })
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#present(
      await this.#deps.calls.findByLookup(this.#model, lookupDigest(this.#model, userCode)),
      { lookup: userCode },
    )
  }

  async consume(id: string): Promise<void> {
    const consumed = await this.#deps.calls.consume(this.#model, this.#name(id), this.#keepMs)
    if (!consumed) throw await alreadyConsumed(this.#model)
    await this.#remember(id, consumed)
  }

  async exchange(id: string, minted: readonly Minted[]): Promise<void> {
    const kept = minted.find(({ model }) => model === ANSWER)
    const entries = minted.filter((each) => each !== kept).map((each) => this.#entry(each))
    const answer = kept && answerOf(kept)
    const consumed = await this.#deps.calls.exchange(
      this.#model,
      this.#name(id),
      { entries, answer },
      this.#keepMs,
    )
    if (!consumed) throw await alreadyConsumed(this.#model)
    await this.#remember(id, consumed, successorIn(minted))
  }

  async destroy(id: string): Promise<void> {
    const { calls, rotations } = this.#deps
    const name = this.#name(id)
    if (this.#model !== 'Session') return calls.destroy(this.#model, name)
    const proof = randomToken(128)
    const uid = await calls.destroySession(name, proof)
    if (uid !== undefined) rotations.begin(uid, proof)
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await this.#deps.revokeGrant(grantId)
  }

  /**
   * After Redis, so that a fault there leaves it as it was; before the answer, so that nothing
   * whose use was answered comes back with a server that has not heard of it (F05, TK-04). Its
   * second use is judged as if Redis had known of the first.
   */
  async #remember(id: string, consumed: Consumed, next?: string): Promise<void> {
    const { uses, leewaySeconds, revokeGrant } = this.#deps
    if (!REMEMBERED.has(this.#model)) return
    const earlier = await uses?.earlierUse({ model: this.#model, id, next, ...consumed })
    if (earlier === undefined || (next !== undefined && earlier.next === next)) return
    const { clientId, grantId } = consumed
    if (!isForgiven({ clientId, secondsAgo: earlier.secondsAgo }, leewaySeconds))
      await revokeGrant(grantId)
    throw await alreadyConsumed(this.#model)
  }

  get #keepMs(): number | undefined {
    return this.#deps.uses && this.#model === 'RefreshToken' ? SPENT_MS : undefined
  }

  /** Of a refresh token that is not kept any more. */
  async #ofUse(id: string): Promise<AdapterPayload | undefined> {
    const use =
      this.#model === 'RefreshToken' ? await this.#deps.uses?.findUse(this.#model, id) : undefined
    return use && fromUse(id, use, new RedisAdapter('Grant', this.#deps), this.#deps.leewaySeconds)
  }

  #name(id: string): string {
    return nameOf(this.#model, idDigest(this.#model, id), id)
  }

  #entry(minted: Minted): Entry {
    return entryOf(minted, (sessionUid) => this.#deps.rotations.wasFound(sessionUid))
  }

  #present(found: Found | undefined, by: FoundBy, model = this.#model): AdapterPayload | undefined {
    const stored = found && payloadOf(model, found.fields)
    if (!found || !stored) return undefined
    const payload = fromStored(model, by, stored)
    if (model === 'Session' && payload.uid) this.#deps.rotations.found(payload.uid)
    const consumedAt = found.fields.get('c')
    if (consumedAt === undefined) return payload
    const consumption = {
      clientId: found.fields.get('k'),
      secondsAgo: (found.now - Number(consumedAt)) / 1000,
    }
    return isForgiven(consumption, this.#deps.leewaySeconds)
      ? payload
      : { ...payload, consumed: Math.floor(Number(consumedAt) / 1000) }
  }
}
