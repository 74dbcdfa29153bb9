import { z } from 'zod'
import { family, twoCalls } from '../operation.ts'
import * as example from './examples.ts'
import { code, confirmation, email, named, newPassword, password, token, uuid } from './fields.ts'
import { person } from './guards.ts'
import { presentStartedProof, presentUser, StartedProof, seconds, UserAnswer } from './shapes.ts'

const { CODE, EMAIL, EXPIRES, IDS, NEW_EMAIL, PASSWORD, USER } = example

export const CREDENTIALS = family('Security', {
  /** The answer is the same for a taken address (EN-01); the code goes to the new one (EM-10). */
  editEmail: twoCalls({
    route: 'PATCH /edit/email',
    guard: person,
    limit: 'sensitive',
    summary: 'Change the address',
    description:
      'The first call mails a code to the new address. The second changes it; the old one gets a link to undo it for three days.',
    refusals: ['reauthentication_required', 'invalid_credentials', 'invalid_code'],
    first: {
      body: named('EditEmailFirstBody', { email, password: confirmation }),
      status: 202,
      answer: StartedProof,
      example: {
        body: { email: NEW_EMAIL, password: PASSWORD },
        answer: { tokenId: IDS.changeEmail, ...EXPIRES },
      },
      async handle(input, { caller, origin }, { emailChange, stepUp }) {
        await stepUp.require(caller, input.password)
        return presentStartedProof(await emailChange.start(caller.accountId, input.email, origin))
      },
    },
    second: {
      body: named('EditEmailSecondBody', { email, tokenId: uuid, code }),
      answer: UserAnswer,
      example: {
        body: { email: NEW_EMAIL, tokenId: IDS.changeEmail, code: CODE },
        answer: { user: { ...USER, email: NEW_EMAIL } },
      },
      async handle(input, { caller: { accountId }, origin }, { emailChange }) {
        return { user: presentUser(await emailChange.complete({ ...input, accountId }, origin)) }
      },
    },
  }),

  /** This session stays, every other ends (PW-09, PW-10). */
  editPassword: twoCalls({
    route: 'PATCH /edit/password',
    guard: person,
    limit: 'sensitive',
    summary: 'Change the password',
    description:
      'The code comes by mail, or from the authenticator app of an account that has one. An account whose second factor is a passkey shows it first: see `POST /verification`. Every other session ends.',
    refusals: [
      'reauthentication_required',
      'invalid_credentials',
      'invalid_code',
      'password_rejected',
    ],
    first: {
      body: named('EditPasswordFirstBody', { current_password: password }),
      status: 202,
      answer: named('StartedPasswordChange', {
        tokenId: z.string(),
        method: z.enum(['email', 'totp']).describe('Where the code of the second call comes from.'),
        expires_in: seconds,
      }),
      example: {
        body: { current_password: PASSWORD },
        answer: { tokenId: IDS.changePassword, method: 'email', ...EXPIRES },
      },
      async handle(input, { caller, origin }, { passwordChange, stepUp }) {
        const { tokenId, method, expiresInSeconds } = await passwordChange.start(
          caller.accountId,
          input.current_password,
          origin,
          () => stepUp.require(caller),
        )
        return { tokenId, method, expires_in: expiresInSeconds }
      },
    },
    second: {
      body: named('EditPasswordSecondBody', {
        email,
        password: newPassword,
        tokenId: token.describe('The identifier that the first call returned.'),
        code,
      }),
      answer: UserAnswer,
      example: {
        body: {
          email: EMAIL,
          password: example.NEW_PASSWORD,
          tokenId: IDS.changePassword,
          code: CODE,
        },
        answer: { user: USER },
      },
      async handle(input, { caller, origin }, { passwordChange, stepUp }) {
        const { accountId, sessionId } = caller
        const changed = { ...input, accountId, sessionId }
        const account = await passwordChange.complete(changed, origin, () => stepUp.require(caller))
        return { user: presentUser(account) }
      },
    },
  }),
})
