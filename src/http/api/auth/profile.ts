import type { Profile } from '../../../accounts/profile.ts'
import type { Account } from '../../../entities/index.ts'
import { AppError } from '../../../errors.ts'
import { family, operation } from '../operation.ts'
import { SESSION, USER } from './examples.ts'
import { Empty, imageUrl, name, named, phoneNumber } from './fields.ts'
import { person } from './guards.ts'
import { ProfileAnswer, ProfileBody } from './profile-fields.ts'
import { presentSession, presentUser, Session, User, UserAnswer } from './shapes.ts'

const CHANGED = {
  name: 'Ada King',
  image_url: 'https://pictures.example.org/ada.png',
  phone_number: '+442079460000',
}

const DETAILS = {
  given_name: 'Ada',
  family_name: 'King',
  birthdate: '1815-12-10',
  zoneinfo: 'Europe/London',
  address: { locality: 'London', country: 'GB' },
  phone_number: '+442079460001',
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

  editProfile: operation({
    route: 'PATCH /user/profile',
    guard: person,
    limit: 'account',
    summary: 'Change what else apps may know of me',
    description:
      'Standard claims of OpenID Connect. What is left out stays as it is; null clears. A field that the operator has not turned on is unknown. A call without any fields answers how things are.',
    body: ProfileBody,
    answer: ProfileAnswer,
    example: { body: DETAILS, answer: { profile: DETAILS } },
    async handle(input, { caller }, { profile }) {
      const { phone_number: phoneNumber, ...attributes } = input
      const account = await profile.update(caller.accountId, { phoneNumber, attributes })
      return { profile: await presentProfile(account, profile) }
    },
  }),
})

async function presentProfile(account: Account, profile: Profile) {
  const { address, ...shown } = await profile.shownOf(account)
  return {
    ...shown,
    ...(address === undefined ? {} : { address: address && { ...address } }),
    phone_number: account.phoneNumber ?? null,
  }
}
