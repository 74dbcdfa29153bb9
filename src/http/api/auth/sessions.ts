import { z } from 'zod'
import { AppError } from '../../../errors.ts'
import { family, operation } from '../operation.ts'
import { OTHER_SESSION, SESSION } from './examples.ts'
import { named } from './fields.ts'
import { person, recovered } from './guards.ts'
import { presentSession, Session } from './shapes.ts'

export const SESSIONS = family('Sessions', {
  listSessions: operation({
    route: 'GET /user/sessions',
    guard: person,
    limit: 'account',
    summary: 'Where I am signed in',
    answer: named('Sessions', { sessions: z.array(Session) }),
    example: { answer: { sessions: [SESSION, OTHER_SESSION] } },
    async handle(_input, { caller: { accountId, sessionId } }, { sessions }) {
      const all = await sessions.list(accountId)
      return { sessions: all.map((session) => presentSession(session, sessionId)) }
    },
  }),

  /** Ids of other people's sessions are as unknown as those of none. */
  endSession: operation({
    route: 'DELETE /user/sessions/{id}',
    guard: person,
    limit: 'account',
    summary: 'End one session',
    refusals: ['not_found'],
    async handle(_input, { caller, param }, { sessions }) {
      if (!(await sessions.endOwn(caller.accountId, param('id')))) throw new AppError('not_found')
    },
  }),

  logout: operation({
    route: 'DELETE /user/logout',
    guard: recovered,
    limit: 'account',
    summary: 'Sign out',
    description: 'This session and its tokens end at every endpoint.',
    handle: (_input, { caller }, { sessions }) => sessions.endSession(caller.sessionId, 'sign_out'),
  }),

  logoutAll: operation({
    route: 'DELETE /user/logout-all',
    guard: recovered,
    limit: 'account',
    summary: 'Sign out everywhere',
    handle: (_input, { caller }, { sessions }) => sessions.endAll(caller.accountId),
  }),
})
