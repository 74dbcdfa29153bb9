import { AppError } from '../../../errors.ts'
import { family, operation } from '../operation.ts'
import { SESSION, USER } from './examples.ts'
import { Empty, imageUrl, name, named, phoneNumber } from './fields.ts'
import { person } from './guards.ts'
import { presentSession, presentUser, Session, User, UserAnswer } from './shapes.ts'

const CHANGED = {
  name: 'Ada King',
  image_url: 'https://pictures.example.org/ada.png',
  phone_number: '+442079460000',
}

export const PROFILE = family('Profile', {
  me: operation({
    route: 'POST /user/me',
    guard: person,
    limit: 'account',
    summary: 'Who am I',
    body: Empty,
    isBodyOptional: true,
    answer: named('Me', { user: User, session: Session }),
    example: { body: {}, answer: { user: USER, session: SESSION } },
    async handle(_input, { caller }, { sessions }) {
      const session = await sessions.find(caller.sessionId)
      if (!session) throw new AppError('invalid_token')
      return {
        user: presentUser(session.account),
        session: presentSession(session, caller.sessionId),
      }
    },
  }),

  editBasic: operation({
    route: 'PATCH /edit/basic',
    guard: person,
    limit: 'account',
    summary: 'Change name, picture and phone number',
    description: 'What is left out stays as it is.',
    body: named('EditBasicBody', {
      name: name.optional(),
      image_url: imageUrl,
      phone_number: phoneNumber,
    }),
    answer: UserAnswer,
    example: { body: CHANGED, answer: { user: { ...USER, ...CHANGED } } },
    async handle(input, { caller }, { profile }) {
      const { name, image_url: imageUrl, phone_number: phoneNumber } = input
      return {
        user: presentUser(await profile.update(caller.accountId, { name, imageUrl, phoneNumber })),
      }
    },
  }),
})
