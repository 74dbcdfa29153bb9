import * as body from '../auth/schemas.ts'
import * as answer from './answers.ts'
import * as example from './examples.ts'
import type { Operation } from './operation.ts'
import { SECURITY_OPERATIONS } from './security-operations.ts'

const { APP, EVENT, OTHER_SESSION, PASSWORD, SESSION, USER } = example

const own = { guard: 'bearer' } as const

/** One's own account: profile, sessions, apps, data. */
export const OWN_OPERATIONS: readonly Operation[] = [
  {
    ...own,
    id: 'me',
    method: 'post',
    path: '/user/me',
    family: 'Profile',
    summary: 'Who am I',
    calls: [
      {
        body: body.Empty,
        isBodyOptional: true,
        request: {},
        status: 200,
        answer: answer.Me,
        response: { user: USER, session: SESSION },
      },
    ],
  },
  {
    ...own,
    id: 'editBasic',
    method: 'patch',
    path: '/edit/basic',
    family: 'Profile',
    summary: 'Change name, picture and phone number',
    description: 'What is left out stays as it is.',
    calls: [
      {
        body: body.EditBasic,
        request: {
          name: 'Ada King',
          image_url: 'https://pictures.example.org/ada.png',
          phone_number: '+442079460000',
        },
        status: 200,
        answer: answer.UserAnswer,
        response: {
          user: {
            ...USER,
            name: 'Ada King',
            image_url: 'https://pictures.example.org/ada.png',
            phone_number: '+442079460000',
          },
        },
      },
    ],
  },
  ...SECURITY_OPERATIONS,
  {
    ...own,
    id: 'listSessions',
    method: 'get',
    path: '/user/sessions',
    family: 'Sessions',
    summary: 'Where I am signed in',
    calls: [
      { status: 200, answer: answer.Sessions, response: { sessions: [SESSION, OTHER_SESSION] } },
    ],
  },
  {
    ...own,
    id: 'endSession',
    method: 'delete',
    path: '/user/sessions/{id}',
    family: 'Sessions',
    summary: 'End one session',
    refusals: ['not_found'],
    calls: [{ status: 204 }],
  },
  {
    ...own,
    id: 'logout',
    method: 'delete',
    path: '/user/logout',
    family: 'Sessions',
    summary: 'Sign out',
    description: 'This session and its tokens end at every endpoint.',
    calls: [{ status: 204 }],
  },
  {
    ...own,
    id: 'logoutAll',
    method: 'delete',
    path: '/user/logout-all',
    family: 'Sessions',
    summary: 'Sign out everywhere',
    calls: [{ status: 204 }],
  },
  {
    ...own,
    id: 'listApps',
    method: 'get',
    path: '/user/apps',
    family: 'Apps',
    summary: 'What I allowed to which app',
    calls: [{ status: 200, answer: answer.Apps, response: { apps: [APP] } }],
  },
  {
    ...own,
    id: 'revokeApp',
    method: 'delete',
    path: '/user/apps/{clientId}',
    family: 'Apps',
    summary: 'Take it back',
    description: 'Every token that came of it ends.',
    refusals: ['not_found'],
    calls: [{ status: 204 }],
  },
  {
    ...own,
    id: 'listActivity',
    method: 'get',
    path: '/user/activity',
    family: 'My data',
    summary: 'What happened lately',
    description: 'The newest hundred events, newest first.',
    calls: [{ status: 200, answer: answer.Activity, response: { events: [EVENT] } }],
  },
  {
    ...own,
    id: 'exportAccount',
    method: 'get',
    path: '/user/export',
    family: 'My data',
    summary: 'Everything that is kept about me',
    refusals: ['reauthentication_required'],
    calls: [
      {
        status: 200,
        answer: answer.Export,
        response: {
          user: { ...USER, locale: 'en', address: null },
          sessions: [SESSION],
          apps: [APP],
          activity: [EVENT],
        },
      },
    ],
  },
  {
    ...own,
    id: 'deleteAccount',
    method: 'delete',
    path: '/user',
    family: 'My data',
    summary: 'Delete my account',
    description:
      'Signed out everywhere at once; erased after fourteen days, unless the mailed link brings the account back.',
    refusals: ['reauthentication_required', 'invalid_credentials'],
    calls: [
      {
        body: body.Confirmed,
        isBodyOptional: true,
        request: { password: PASSWORD },
        status: 202,
        answer: answer.ScheduledDeletion,
        response: { deletes_at: '2026-03-15T10:00:00.000Z' },
      },
    ],
  },
]
