import { z } from 'zod'
import { ERROR_CODES } from '../../../errors.ts'
import { FIELD_REASONS } from '../../middleware/validate.ts'

/** What the account API answers, as documented. The tests hold every answer against these. */
const time = z.iso.datetime().describe('RFC 3339, UTC.')
const seconds = z.int().min(1).describe('Seconds.')

export const User = z.strictObject({
  id: z.uuid().describe('The `sub` of every token.'),
  name: z.string(),
  email: z.string(),
  email_verified: z.boolean(),
  phone_number: z.string().nullable(),
  image_url: z.string().nullable(),
  status: z.enum(['active', 'disabled', 'deleting']),
  mfa_enabled: z.boolean(),
  created_at: time,
  updated_at: time,
})

export const Session = z.strictObject({
  id: z.string().describe('The `sid` of its access tokens. No credential.'),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
  created_at: time,
  last_seen_at: time,
  expires_at: time,
  current: z.boolean().describe('Whether it is the session of this call.'),
})

export const App = z.strictObject({
  client_id: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  resource_scopes: z.record(z.string(), z.array(z.string())).describe('Scopes by API.'),
  granted_at: time,
  updated_at: time,
})

export const ActivityEvent = z.strictObject({
  at: time,
  type: z.string(),
  outcome: z.enum(['success', 'failure']),
  client_id: z.string().nullable(),
  session_id: z.string().nullable(),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
})

const tokens = {
  access_token: z.string().describe('A JWT of RFC 9068 for this API.'),
  token_type: z.literal('Bearer'),
  expires_in: seconds,
  refresh_token: z.string().describe('Good once.'),
  scope: z.string(),
}

export const StartedSignUp = z.strictObject({
  userId: z.uuid(),
  tokenId: z.uuid(),
  expires_in: seconds,
})
export const UserAnswer = z.strictObject({ user: User })
export const Tokens = z.strictObject(tokens)
export const SignedIn = z.strictObject({ ...tokens, session: Session, user: User })
export const MfaEnrolment = z.strictObject({
  token: z.string(),
  secret: z.string().describe('Base32, for typing.'),
  otpauth_uri: z.string(),
  qr_svg: z.string().describe('The same as a picture.'),
  expires_in: seconds,
})
export const MfaEnabled = z.strictObject({
  mfa_enabled: z.literal(true),
  recovery_codes: z.array(z.string()).length(10),
})
export const StartedStep = z.strictObject({ token: z.string(), expires_in: seconds })
export const Proven = z.strictObject({ expires_in: seconds })
export const MfaDisabled = z.strictObject({ mfa_enabled: z.literal(false) })
export const StartedProof = z.strictObject({ tokenId: z.string(), expires_in: seconds })
export const StartedPasswordChange = z.strictObject({
  tokenId: z.string(),
  method: z.enum(['email', 'totp']).describe('Where the code of the second call comes from.'),
  expires_in: seconds,
})
export const Nothing = z.strictObject({})
export const Me = z.strictObject({ user: User, session: Session })
export const Sessions = z.strictObject({ sessions: z.array(Session) })
export const Apps = z.strictObject({ apps: z.array(App) })
export const RecoveryCodes = z.strictObject({ recovery_codes: z.array(z.string()).length(10) })
export const Activity = z.strictObject({ events: z.array(ActivityEvent) })
export const Export = z.strictObject({
  user: z.strictObject({
    ...User.shape,
    locale: z.string().nullable(),
    address: z.record(z.string(), z.string()).nullable(),
  }),
  sessions: z.array(Session),
  apps: z.array(App),
  activity: z.array(ActivityEvent),
})
export const ScheduledDeletion = z.strictObject({ deletes_at: time })

/** The shape of every refusal; what else there is depends on the code. */
export const Refusal = z.strictObject({
  error: z.enum(ERROR_CODES),
  message: z.string().describe('For people, in English.'),
  request_id: z.uuid().describe('Quote it to the operator.'),
  fields: z.record(z.string(), z.enum(FIELD_REASONS)).optional().describe('Reasons by field.'),
  token: z.string().optional().describe('With `mfa_required`: for the second call.'),
  methods: z.array(z.enum(['totp', 'recovery'])).optional(),
  expires_in: seconds.optional(),
  userId: z.uuid().optional().describe('With `email_unverified`: for `/verify/email`.'),
  tokenId: z.uuid().optional(),
})
