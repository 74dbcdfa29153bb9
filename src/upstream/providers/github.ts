import { z } from 'zod'
import { absent, type OAuthKind } from '../kind.ts'

const GITHUB = 'https://github.com'
const NO_REPLY = '@users.noreply.github.com'

const User = z.object({
  id: z.number().int().positive(),
  login: z.string(),
  name: z.string().nullish(),
  avatar_url: z.string().nullish(),
})
const Emails = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }))

/** GitHub, and GitHub Enterprise Server under its own issuer. It has no ID token. */
export const github: OAuthKind = {
  kind: 'github',
  speaks: 'oauth',
  title: 'GitHub',
  issuer: () => GITHUB,
  takesIssuer: true,
  scopes: ['read:user', 'user:email'],
  accept: 'application/vnd.github+json',
  parameters: (_settings, { again }) => (again ? { prompt: 'select_account' } : {}),
  endpoints: (issuer) => ({
    authorization: `${issuer}/login/oauth/authorize`,
    token: `${issuer}/login/oauth/access_token`,
    api: issuer === GITHUB ? 'https://api.github.com' : `${issuer}/api/v3`,
  }),
  async read(ask) {
    const user = User.parse(await ask('/user'))
    // The address of the public profile is one that the person has typed: it proves nothing. There
    // is no list if the person took that permission away.
    const listed = await ask('/user/emails')
    const emails = listed === absent ? [] : Emails.parse(listed)
    const email = emails.find(
      (each) => each.primary && each.verified && !each.email.toLowerCase().endsWith(NO_REPLY),
    )?.email
    return {
      subject: String(user.id),
      email,
      emailProven: email !== undefined,
      name: user.name ?? undefined,
      picture: user.avatar_url ?? undefined,
    }
  },
}
