import type { z } from 'zod'
import type { Consents } from '../../../accounts/consents.ts'
import { AppError } from '../../../errors.ts'
import type { AccessRevoker } from '../../../oidc/access-revoker.ts'
import { DONE, type Handler, ok } from './call.ts'
import { presentApp } from './presenters.ts'
import type * as body from './schemas.ts'

export interface AppsDeps {
  readonly consents: Consents
  readonly access: AccessRevoker
}

type Nothing = z.infer<typeof body.Empty>

export function listApps({ consents }: AppsDeps): Handler<Nothing> {
  return async (_input, { caller }) =>
    ok({ apps: (await consents.list(caller.accountId)).map(presentApp) })
}

/** Takes back what was allowed and ends every token that came of it (CL-06). */
export function revokeApp({ consents, access }: AppsDeps): Handler<Nothing> {
  return async (_input, { caller, param }) => {
    const clientId = param('clientId')
    if (!(await consents.revoke(caller.accountId, clientId))) throw new AppError('not_found')
    await access.revokeApp(caller.accountId, clientId)
    return DONE
  }
}
