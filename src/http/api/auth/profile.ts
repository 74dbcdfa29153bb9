import type { z } from 'zod'
import type { Profile } from '../../../accounts/profile.ts'
import type { Sessions } from '../../../accounts/sessions/sessions.ts'
import { AppError } from '../../../errors.ts'
import { type Handler, ok } from './call.ts'
import { presentSession, presentUser } from './presenters.ts'
import type * as body from './schemas.ts'

export interface ProfileDeps {
  readonly profile: Profile
  readonly sessions: Sessions
}

export function editBasic({ profile }: ProfileDeps): Handler<z.infer<typeof body.EditBasic>> {
  return async ({ name, image_url: imageUrl, phone_number: phoneNumber }, { caller }) =>
    ok({
      user: presentUser(await profile.update(caller.accountId, { name, imageUrl, phoneNumber })),
    })
}

export function me({ sessions }: ProfileDeps): Handler<z.infer<typeof body.Empty>> {
  return async (_input, { caller }) => {
    const session = await sessions.find(caller.sessionId)
    if (!session) throw new AppError('invalid_token')
    return ok({
      user: presentUser(session.account),
      session: presentSession(session, caller.sessionId),
    })
  }
}
