import { z } from 'zod'
import { family, operation } from '../operation.ts'
import { IDENTITY } from './examples.ts'
import { named } from './fields.ts'
import { person } from './guards.ts'
import { presentIdentity, UserIdentity } from './identity-shape.ts'

export const IDENTITIES = family('Connected providers', {
  listIdentities: operation({
    route: 'GET /user/identities',
    guard: person,
    limit: 'account',
    summary: 'Whose sign-in opens my account',
    answer: named('Identities', { identities: z.array(UserIdentity) }),
    example: { answer: { identities: [IDENTITY] } },
    handle: async (_input, { caller }, { identities }) => ({
      identities: (await identities.list(caller.accountId)).map(presentIdentity),
    }),
  }),

  removeIdentity: operation({
    route: 'DELETE /user/identities/{id}',
    guard: person,
    limit: 'sensitive',
    summary: 'Disconnect one',
    description: 'The owner is told by mail. The last way to sign in stays.',
    refusals: ['reauthentication_required', 'not_found', 'last_way_in'],
    async handle(_input, { caller, origin, param }, { identities, stepUp }) {
      await stepUp.require(caller)
      await identities.remove(caller.accountId, param('id'), origin)
    },
  }),
})
