import { z } from 'zod'
import { family, operation } from '../operation.ts'
import { APP, EVENT, GROUP, PASSWORD, SESSION, USER } from './examples.ts'
import { Export, presentExport } from './export-shape.ts'
import { Confirmed, named } from './fields.ts'
import { person } from './guards.ts'
import { ActivityEvent, presentEvent, time } from './shapes.ts'

const MAX_EVENTS = 100

export const OWN_DATA = family('My data', {
  listActivity: operation({
    route: 'GET /user/activity',
    guard: person,
    limit: 'account',
    summary: 'What happened lately',
    description: 'The newest hundred events, newest first.',
    answer: named('Activity', { events: z.array(ActivityEvent) }),
    example: { answer: { events: [EVENT] } },
    async handle(_input, { caller }, { activity }) {
      const events = await activity.listForAccount(caller.accountId, { limit: MAX_EVENTS })
      return { events: events.map(presentEvent) }
    },
  }),

  exportAccount: operation({
    route: 'GET /user/export',
    guard: person,
    limit: 'sensitive',
    summary: 'Everything that is kept about me',
    refusals: ['reauthentication_required'],
    answer: Export,
    example: {
      answer: {
        user: {
          ...USER,
          username: 'ada-lovelace-7k3m',
          locale: 'en',
          address: { locality: 'London', country: 'GB' },
          attributes: {
            given_name: 'Ada',
            family_name: 'King',
            birthdate: '1815-12-10',
            zoneinfo: 'Europe/London',
          },
        },
        sessions: [SESSION],
        apps: [APP],
        groups: [GROUP],
        identities: [],
        passkeys: [],
        acceptances: [],
        trusted_devices: [],
        activity: [EVENT],
      },
    },
    async handle(_input, { caller }, { accountExport, stepUp }) {
      await stepUp.require(caller)
      return presentExport(await accountExport.collect(caller.accountId), caller.sessionId)
    },
  }),

  /**
   * Signed out everywhere at once, erased after the grace period unless the mailed link brings the
   * account back.
   */
  deleteAccount: operation({
    route: 'DELETE /user',
    guard: person,
    limit: 'sensitive',
    summary: 'Delete my account',
    description:
      'Signed out everywhere at once; erased after fourteen days, unless the mailed link brings the account back.',
    refusals: ['reauthentication_required', 'invalid_credentials'],
    body: Confirmed,
    isBodyOptional: true,
    status: 202,
    answer: named('ScheduledDeletion', { deletes_at: time }),
    example: {
      body: { password: PASSWORD },
      answer: { deletes_at: '2026-03-15T10:00:00.000Z' },
    },
    async handle(input, { caller, origin }, { deletion, stepUp }) {
      await stepUp.require(caller, input.password)
      const { deletesAt } = await deletion.request(caller.accountId, origin, caller.sessionId)
      return { deletes_at: deletesAt.toISOString() }
    },
  }),
})
