import { z } from 'zod'
import type { ExportedAccount } from '../../../accounts/export.ts'
import type { Acceptance } from '../../../entities/index.ts'
import { named } from './fields.ts'
import { presentIdentity, UserIdentity } from './identity-shape.ts'
import { Passkey, presentPasskey } from './passkey-shape.ts'
import {
  ActivityEvent,
  App,
  Group,
  presentApp,
  presentEvent,
  presentSession,
  presentUser,
  Session,
  time,
  User,
} from './shapes.ts'

export const AcceptedTerms = named('AcceptedTerms', {
  document: z.literal('terms'),
  version: z.string(),
  locale: z.string().nullable().describe('Of the page on which it was accepted.'),
  accepted_at: time,
})

const presentAcceptance = ({ version, locale, acceptedAt }: Acceptance) => ({
  document: 'terms' as const,
  version,
  locale: locale ?? null,
  accepted_at: acceptedAt.toISOString(),
})

export const Export = named('Export', {
  user: z.strictObject({
    ...User.shape,
    username: z.string().describe('`preferred_username` of every app.'),
    locale: z.string().nullable(),
    address: z.record(z.string(), z.string()).nullable(),
    attributes: z.record(z.string(), z.string()).describe('Other standard claims, by their names.'),
  }),
  sessions: z.array(Session),
  apps: z.array(App),
  groups: z.array(Group),
  identities: z.array(UserIdentity),
  passkeys: z.array(Passkey),
  trusted_devices: z
    .array(z.strictObject({ user_agent: z.string().nullable(), trusted_until: z.iso.datetime() }))
    .describe('Browsers that skip the second step.'),
  acceptances: z.array(AcceptedTerms),
  activity: z.array(ActivityEvent),
})

/** The person's data as a document; both doors give the same (UX-37, LG-08). */
export function presentExport(
  {
    account,
    attributes,
    sessions,
    consents,
    groups,
    identities,
    passkeys,
    trustedDevices,
    acceptances,
    activity,
  }: ExportedAccount,
  currentSessionId: string,
): z.output<typeof Export> {
  return {
    user: {
      ...presentUser(account),
      username: account.username,
      locale: account.locale ?? null,
      address: account.address ? { ...account.address } : null,
      attributes: { ...attributes },
    },
    sessions: sessions.map((session) => presentSession(session, currentSessionId)),
    apps: consents.map(presentApp),
    groups: groups.map(({ name, since }) => ({ name, since: since.toISOString() })),
    identities: identities.map(presentIdentity),
    passkeys: passkeys.map(presentPasskey),
    trusted_devices: trustedDevices.map(({ userAgent, until }) => ({
      user_agent: userAgent ?? null,
      trusted_until: until.toISOString(),
    })),
    acceptances: acceptances.map(presentAcceptance),
    activity: activity.map(presentEvent),
  }
}
