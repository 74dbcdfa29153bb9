import { RecoveryHolds, type RecoveryHoldsDeps } from './holds.ts'
import { RecoveryPasses } from './passes.ts'
import { Recovery, type RecoveryDeps } from './recovery.ts'
import { Regaining, type RegainingDeps } from './regaining.ts'

type Deps = Omit<RecoveryDeps, 'holds' | 'passes'> &
  Omit<RegainingDeps, 'passes'> &
  Omit<RecoveryHoldsDeps, 'mails'>

/** What recovers an account whose owner has lost the way in. */
export function composeRecovery(deps: Deps) {
  const passes = new RecoveryPasses(deps)
  const recoveryHolds = new RecoveryHolds({ ...deps, mails: deps.messages.recovery })
  return {
    recovery: new Recovery({ ...deps, passes, holds: recoveryHolds }),
    recoveryHolds,
    regaining: new Regaining({ ...deps, passes }),
  }
}
