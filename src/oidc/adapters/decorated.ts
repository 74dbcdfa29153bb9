import type { StoreAdapter } from './adapter.ts'

/** The adapter with some of its methods replaced; the others stay its own. */
export function decorated(adapter: StoreAdapter, changed: Partial<StoreAdapter>): StoreAdapter {
  return {
    upsert: (...all) => adapter.upsert(...all),
    find: (id) => adapter.find(id),
    findByUserCode: (code) => adapter.findByUserCode(code),
    findByUid: (uid) => adapter.findByUid(uid),
    consume: (id) => adapter.consume(id),
    destroy: (id) => adapter.destroy(id),
    revokeByGrantId: (id) => adapter.revokeByGrantId(id),
    ...(isContextAdapter(adapter)
      ? {
          findInContext: (id) => adapter.findInContext(id),
          exchange: (id, minted) => adapter.exchange(id, minted),
          findAnswer: (id) => adapter.findAnswer(id),
        }
      : {}),
    ...changed,
  }
}

function isContextAdapter(adapter: StoreAdapter): adapter is Required<StoreAdapter> {
  return adapter.findInContext !== undefined
}
