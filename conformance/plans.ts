/** Where the official suite listens for a test whose configuration has this alias. */
export interface Suite {
  /** Its address, without a slash at the end. */
  readonly base: string
  readonly alias: string
}

export interface Person {
  readonly email: string
  readonly password: string
}

export interface Credentials {
  readonly client_id: string
  readonly client_secret: string
}

/** The three clients that the plans ask for. */
export const ROLES = ['client', 'client2', 'client_secret_post'] as const
export type Role = (typeof ROLES)[number]
export type Clients = Readonly<Record<Role, Credentials>>

const at = ({ base, alias }: Suite, path: string): string => `${base}/test/a/${alias}/${path}`

/** How each is registered: the words behind `gatehouse client create`. */
export function registrationOf(
  role: Role,
  suite: Suite,
  { backchannelLogout = true }: { readonly backchannelLogout?: boolean } = {},
): string[] {
  return [
    ['--name', `Conformance ${role}`],
    ['--redirect', at(suite, 'callback')],
    ['--post-logout-redirect', at(suite, 'post_logout_redirect')],
    ['--scope', 'openid profile email address phone offline_access'],
    ['--pkce', 'optional'],
    role === 'client_secret_post' ? ['--auth-method', 'client_secret_post'] : [],
    backchannelLogout ? ['--backchannel-logout', at(suite, 'backchannel_logout')] : [],
  ].flat()
}

/** Every claim of OpenID Connect Core 5.1 that is not there by itself, for `gatehouse account set`. */
export const CLAIMS: readonly string[] = [
  'given_name=Ada',
  'middle_name=King',
  'family_name=Lovelace',
  'nickname=Ada',
  'profile=https://people.example.org/ada',
  'picture=https://people.example.org/ada.png',
  'website=https://ada.example.org/',
  'gender=female',
  'birthdate=1815-12-10',
  'zoneinfo=Europe/London',
  'locale=en',
  'phone_number=+442079460000',
  'address.street_address=12 St James’s Square',
  'address.locality=London',
  'address.region=England',
  'address.postal_code=SW1Y 4JH',
  'address.country=GB',
]

/** By what the suite's browser finds our pages and their parts: they stay. */
const ELEMENTS = {
  username: ['name', 'username'],
  password: ['name', 'password'],
  signIn: ['id', 'sign-in'],
  allow: ['xpath', "//button[@value='allow']"],
  signOut: ['xpath', "//button[@name='logout']"],
  signedOut: ['id', 'signed-out'],
  error: ['id', 'error'],
} as const

type Command = readonly (string | number)[]
const click = (element: readonly string[]): Command => ['click', ...element]
const see = (element: readonly string[]): Command => ['wait', ...element, 10]

/** The file that the official suite takes for every one of its plans. */
export function configurationFor({
  issuer,
  suite,
  clients,
  person,
}: {
  readonly issuer: string
  readonly suite: Suite
  readonly clients: Clients
  readonly person: Person
}) {
  const type = (element: readonly string[], text: string): Command => ['text', ...element, text]
  const step = { match: `${issuer}/interaction/*`, optional: true }
  const signIn = {
    ...step,
    task: 'Sign in',
    commands: [
      type(ELEMENTS.username, person.email),
      type(ELEMENTS.password, person.password),
      click(ELEMENTS.signIn),
    ],
  }
  const allow = { ...step, task: 'Allow', commands: [click(ELEMENTS.allow)] }
  const done = {
    task: 'Back at the suite',
    match: '*/test/*/callback*',
    optional: true,
    commands: [see(['id', 'submission_complete'])],
  }
  const refused = {
    task: 'Look at the error',
    match: `${issuer}/auth*`,
    optional: true,
    commands: [see(ELEMENTS.error)],
  }
  const signOut = [
    {
      task: 'Sign out',
      match: `${issuer}/session/end*`,
      optional: true,
      commands: [click(ELEMENTS.signOut)],
    },
    {
      task: 'Signed out',
      match: `${issuer}/session/end/success*`,
      optional: true,
      commands: [see(ELEMENTS.signedOut)],
    },
  ]
  return {
    alias: suite.alias,
    description: 'Gatehouse',
    server: { discoveryUrl: `${issuer}/.well-known/openid-configuration` },
    ...clients,
    browser: [
      { match: `${issuer}/auth*`, tasks: [signIn, allow, refused, done] },
      { match: `${issuer}/session/end*`, tasks: signOut },
    ],
  }
}
