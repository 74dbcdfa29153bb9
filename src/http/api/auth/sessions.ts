import type { z } from 'zod'
import type { Sessions } from '../../../accounts/sessions/sessions.ts'
import { AppError } from '../../../errors.ts'
import { DONE, type Handler, ok } from './call.ts'
import { presentSession } from './presenters.ts'
import type * as body from './schemas.ts'

export interface SessionsDeps {
  readonly sessions: Sessions
}

type Nothing = z.infer<typeof body.Empty>

export function logout({ sessions }: SessionsDeps): Handler<Nothing> {
  return async (_input, { caller }) => {
    await sessions.endSession(caller.sessionId, 'sign_out')
    return DONE
  }
}

export function logoutAll({ sessions }: SessionsDeps): Handler<Nothing> {
  return async (_input, { caller }) => {
    await sessions.endAll(caller.accountId)
    return DONE
  }
}

export function listSessions({ sessions }: SessionsDeps): Handler<Nothing> {
  return async (_input, { caller: { accountId, sessionId } }) =>
    ok({
      sessions: (await sessions.list(accountId)).map((session) =>
        presentSession(session, sessionId),
      ),
    })
}

/** Ids of other people's sessions are as unknown as those of none. */
export function endSession({ sessions }: SessionsDeps): Handler<Nothing> {
  return async (_input, { caller, param }) => {
    if (!(await sessions.endOwn(caller.accountId, param('id')))) throw new AppError('not_found')
    return DONE
  }
}
