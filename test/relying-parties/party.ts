/** Why something does not apply to a library. */
export interface NotApplicable {
  readonly because: string
}

/** A page of the app, asked for by its path; of an app in the browser a button or place of its page. */
type PagePath = string

/** A relying party as its own documentation has it, and the one line with which it is registered. */
export interface Party {
  readonly name: string
  readonly version: string
  /** Tried only with `RELYING_PARTIES=all`: it takes long. */
  readonly isSlow?: true
  /** What follows `gatehouse resource create`, if it is an API too. */
  readonly api?: string
  /**
   * What follows `gatehouse client create --name …`; `{app}` is where the app is for browsers,
   * `{inside}` where it is without its proxy.
   */
  readonly create: string
  /** On the person's own machine, by http at loopback; else at an https address behind a proxy. */
  readonly isLocal?: true
  /** Program and arguments, run in the folder of its language. */
  readonly program: readonly [string, ...string[]]
  /** More settings than `client create` printed; `{NAME}` is one that it printed. */
  readonly settings?: Readonly<Record<string, string>>
  /** What follows `gatehouse account set <address>`: claims that it cannot do without. */
  readonly person?: readonly string[]
  /** Where it says that it is ready, if it listens earlier. */
  readonly health?: string
  readonly signIn: PagePath
  /** A JSON answer with the person's address in it. */
  readonly email: PagePath | NotApplicable
  readonly refresh: PagePath | NotApplicable
  /** `here`: the library ends its own session only, and knows no sign-out at the provider. */
  readonly signOut: { readonly at: PagePath; readonly ends: 'both' | 'here' } | NotApplicable
}

export function isPath(way: PagePath | NotApplicable): way is PagePath {
  return typeof way === 'string'
}

/** How a web app is registered, where its library asks for nothing else. */
export const WEB = '--redirect {app}/callback --post-logout-redirect {app}/'
/** For `client create`: the library sends no challenge, but a nonce; neither; reads ID tokens only. */
export const WITH_NONCE = '--pkce or_nonce'
export const WITHOUT_PKCE = '--pkce optional'
export const IN_ID_TOKEN = '--id-token-claims scope'

/** The paths of an app that does all. */
export const DOES_ALL = {
  signIn: '/login',
  email: '/me',
  refresh: '/refresh',
  signOut: { at: '/logout', ends: 'both' },
} as const

/** Whether everything is tried, also what takes long. */
export const TRIES_ALL = process.env['RELYING_PARTIES'] === 'all'

/** Those of this run. */
export function ofThisRun<T extends Party>(parties: readonly T[]): readonly T[] {
  return parties.filter(({ isSlow }) => TRIES_ALL || !isSlow)
}
