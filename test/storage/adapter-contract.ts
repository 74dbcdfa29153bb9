import { describe } from '@jest/globals'
import { answers } from './contract/answers.ts'
import { basics } from './contract/basics.ts'
import { consumption } from './contract/consumption.ts'
import { context } from './contract/context.ts'
import { exchange } from './contract/exchange.ts'
import { expiry } from './contract/expiry.ts'
import { revocation } from './contract/revocation.ts'
import { secrecy } from './contract/secrecy.ts'
import { sessions } from './contract/sessions.ts'
import { type MakeStore, useStore } from './contract/store-under-test.ts'

export type { MakeStore, StoreUnderTest } from './contract/store-under-test.ts'

/** What every `ArtifactStore` must do, whatever it stores into. */
export function describeArtifactStore(name: string, makeStore: MakeStore): void {
  describe(`artifact store: ${name}`, () => {
    const storage = useStore(makeStore)
    basics(storage)
    secrecy(storage)
    consumption(storage)
    context(storage)
    exchange(storage)
    answers(storage)
    sessions(storage)
    revocation(storage)
    expiry(storage)
  })
}
