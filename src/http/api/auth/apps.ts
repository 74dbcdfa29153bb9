import { z } from 'zod'
import { AppError } from '../../../errors.ts'
import { family, operation } from '../operation.ts'
import { APP } from './examples.ts'
import { named } from './fields.ts'
import { person } from './guards.ts'
import { App, presentApp } from './shapes.ts'

export const APPS = family('Apps', {
  listApps: operation({
    route: 'GET /user/apps',
    guard: person,
    limit: 'account',
    summary: 'What I allowed to which app',
    answer: named('Apps', { apps: z.array(App) }),
    example: { answer: { apps: [APP] } },
    handle: async (_input, { caller }, { consents }) => ({
      apps: (await consents.list(caller.accountId)).map(presentApp),
    }),
  }),

  /** Takes back what was allowed and ends every token that came of it (CL-06). */
  revokeApp: operation({
    route: 'DELETE /user/apps/{clientId}',
    guard: person,
    limit: 'account',
    summary: 'Take it back',
    description: 'Every token that came of it ends.',
    refusals: ['not_found'],
    async handle(_input, { caller: { accountId }, param }, { access, consents }) {
      const clientId = param('clientId')
      if (!(await consents.revoke(accountId, clientId))) throw new AppError('not_found')
      await access.revokeApp(accountId, clientId)
    },
  }),
})
