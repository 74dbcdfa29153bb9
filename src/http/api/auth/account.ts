import type { z } from 'zod'
import type { Deletion } from '../../../accounts/deletion.ts'
import type { AccountExport } from '../../../accounts/export.ts'
import type { StepUp } from '../../../accounts/factors/step-up.ts'
import type { Activity } from '../../../audit/activity.ts'
import { accepted, type Handler, ok } from './call.ts'
import { presentEvent, presentExport } from './presenters.ts'
import type * as body from './schemas.ts'

export interface AccountDeps {
  readonly activity: Activity
  readonly accountExport: AccountExport
  readonly deletion: Deletion
  readonly stepUp: StepUp
}

type Nothing = z.infer<typeof body.Empty>

const MAX_EVENTS = 100

export function listActivity({ activity }: AccountDeps): Handler<Nothing> {
  return async (_input, { caller }) =>
    ok({
      events: (await activity.listForAccount(caller.accountId, { limit: MAX_EVENTS })).map(
        presentEvent,
      ),
    })
}

export function exportAccount({ accountExport, stepUp }: AccountDeps): Handler<Nothing> {
  return async (_input, { caller }) => {
    await stepUp.require(caller)
    return ok(presentExport(await accountExport.collect(caller.accountId), caller.sessionId))
  }
}

/**
 * Signed out everywhere at once, erased after the grace period unless the mailed link brings the
 * account back.
 */
export function deleteAccount({
  deletion,
  stepUp,
}: AccountDeps): Handler<z.infer<typeof body.Confirmed>> {
  return async ({ password }, { caller, origin }) => {
    await stepUp.require(caller, password)
    const { deletesAt } = await deletion.request(caller.accountId, origin, caller.sessionId)
    return accepted({ deletes_at: deletesAt.toISOString() })
  }
}
