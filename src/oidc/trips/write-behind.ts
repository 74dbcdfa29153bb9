import type { Adapter, ContextAdapter, StoreAdapter } from '../adapters/adapter.ts'
import { decorated } from '../adapters/decorated.ts'
import { consumedError } from '../adapters/refused-uses.ts'
import type { RefreshAnswers } from '../tokens/refresh-answers.ts'
import { currentUnit, quiet } from './request-unit.ts'

export interface WriteBehindDeps {
  readonly adapterFor: (model: string) => StoreAdapter
  readonly refreshAnswers: RefreshAnswers
}

/**
 * Keeps what a request writes until its answer is made: the code or token that it spends and the
 * tokens that it mints are written together; what an authorization leaves, while the request goes on.
 */
export function writingBehind(deps: WriteBehindDeps): (model: string) => StoreAdapter {
  return (model) => {
    const adapter = deps.adapterFor(model)
    switch (model) {
      case 'AccessToken':
        return decorated(adapter, { upsert: minting(model, adapter) })
      case 'RefreshToken':
        return decorated(adapter, {
          upsert: minting(model, adapter),
          consume: (id) => consume(deps.refreshAnswers, { model, adapter, id }),
        })
      case 'AuthorizationCode':
        return decorated(adapter, {
          upsert: (...all) => beforeTheAnswer(adapter.upsert(...all)),
          consume: (id) => consume(deps.refreshAnswers, { model, adapter, id }),
        })
      case 'Grant':
        return decorated(adapter, {
          upsert: (...all) => beforeTheAnswer(adapter.upsert(...all)),
        })
      case 'Interaction':
        // A request that resumes has read it already, and so has another one at the same time.
        return decorated(adapter, { destroy: (id) => beforeTheAnswer(adapter.destroy(id)) })
      default:
        return adapter
    }
  }
}

function minting(model: string, adapter: StoreAdapter): Adapter['upsert'] {
  return async (id, payload, expiresIn) => {
    const unit = currentUnit()
    if (!unit) return adapter.upsert(id, payload, expiresIn)
    if (!unit.given) unit.minted.push({ adapter, model, id, payload, expiresIn })
  }
}

async function consume(
  refreshAnswers: RefreshAnswers,
  { model, adapter, id }: { model: string; adapter: StoreAdapter; id: string },
): Promise<void> {
  const unit = currentUnit()
  if (unit?.asked === undefined) return adapter.consume(id)
  const { given, asked, minted, clientId = '' } = unit
  if (given === null) throw consumedError(model)
  if (given) return
  unit.isRepeatable = model === 'RefreshToken'
  unit.exchange = async (body) => {
    const kept = unit.isRepeatable
      ? refreshAnswers.kept({ token: id, clientId, asked, body, minted })
      : []
    const all = [...minted, ...kept]
    await (all.length > 0 ? (adapter as ContextAdapter).exchange(id, all) : adapter.consume(id))
  }
}

/** At once where there is no unit; in one, together with what follows. */
async function beforeTheAnswer(change: Promise<unknown>): Promise<void> {
  const unit = currentUnit()
  if (unit) unit.pending.push(quiet(change))
  else await change
}
