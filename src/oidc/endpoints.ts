import type { LimitName } from '../config/limits.ts'

/** What the house knows about one path of the protocol. */
export interface Endpoint {
  /** Its one spelling; `:uid` stands for the id of an interaction. */
  readonly path: string
  /** Where some apps look for it: the same request under another name. */
  readonly alias?: string
  readonly methods: readonly string[]
  /**
   * `page`: a person is there. `call`: a program asks, and the answer is nobody else's. `document`:
   * a program asks for what is the same for everybody. Programs get JSON, whatever they accept.
   */
  readonly kind: 'page' | 'call' | 'document'
  readonly limit?: LimitName
  /** A larger body is refused before it is read; one that comes in chunks, by its reader. */
  readonly maxBody: number
  /** Parameters stand in the query, are bounded (AZ-08), and those of a POST go there. */
  readonly isEntry?: true
  /** The browser comes here from a form of ours, and may go on to an app. */
  readonly followsForm?: true
  /** No cookie is read here, so pages of apps may send theirs along (SE-14). */
  readonly readsNoCookie?: true
  /** What is read together with the token or interaction of the request; `account`: that too. */
  readonly readsAhead?: { readonly account: boolean }
}

const READ = ['GET', 'HEAD']
const FORM = 16 * 1024
/** What the provider reads at most. */
const MAX_BODY = 56 * 1024

const page = { kind: 'page', methods: READ, maxBody: FORM } as const
const call = { kind: 'call', methods: ['POST', 'OPTIONS'], maxBody: MAX_BODY } as const
const document = {
  kind: 'document',
  methods: [...READ, 'OPTIONS'],
  maxBody: FORM,
  readsNoCookie: true,
} as const

const AUTHORIZATION = '/auth'
const TOKEN = '/token'
const END_SESSION = '/session/end'

/** Every path of the protocol, once: `test/architecture.test.ts` finds it nowhere else. */
export const ENDPOINTS = {
  authorization: {
    ...page,
    path: AUTHORIZATION,
    methods: [...READ, 'POST'],
    limit: 'authorize',
    isEntry: true,
    readsAhead: { account: false },
  },
  resume: {
    ...page,
    path: `${AUTHORIZATION}/:uid`,
    followsForm: true,
    readsAhead: { account: false },
  },
  token: {
    ...call,
    path: TOKEN,
    limit: 'token',
    readsNoCookie: true,
    readsAhead: { account: true },
  },
  introspection: {
    ...call,
    path: `${TOKEN}/introspection`,
    limit: 'token',
    readsAhead: { account: false },
  },
  revocation: { ...call, path: `${TOKEN}/revocation`, limit: 'token', readsNoCookie: true },
  userinfo: {
    ...call,
    path: '/userinfo',
    methods: [...READ, 'POST', 'OPTIONS'],
    readsNoCookie: true,
    readsAhead: { account: true },
  },
  jwks: { ...document, path: '/jwks', alias: '/.well-known/jwks.json' },
  openidConfiguration: { ...document, path: '/.well-known/openid-configuration' },
  oauthServer: { ...document, path: '/.well-known/oauth-authorization-server' },
  webFinger: {
    path: '/.well-known/webfinger',
    kind: 'document',
    methods: [...READ, 'OPTIONS'],
    maxBody: FORM,
  },
  endSession: { ...page, path: END_SESSION, methods: [...READ, 'POST'], isEntry: true },
  endSessionConfirm: {
    ...page,
    path: `${END_SESSION}/confirm`,
    methods: ['POST'],
    maxBody: MAX_BODY,
    followsForm: true,
  },
  endSessionSuccess: { ...page, path: `${END_SESSION}/success` },
} as const satisfies Record<string, Endpoint>

const { resume, ...fixed } = ENDPOINTS
const BY_PATH: ReadonlyMap<string, Endpoint> = new Map(
  Object.values(fixed).flatMap((endpoint: Endpoint) =>
    [endpoint.path, endpoint.alias ?? endpoint.path].map((path) => [path, endpoint] as const),
  ),
)
const RESUME = new RegExp(`^${AUTHORIZATION}/[\\w-]+$`)

/**
 * The endpoint of exactly this path: another case, a slash more or an escape is another path, where
 * there is nothing.
 */
export function endpointAt(path: string): Endpoint | undefined {
  return BY_PATH.get(path) ?? (RESUME.test(path) ? resume : undefined)
}

/** The endpoint that a request is for, as the first middleware found it. */
export function endpointOf({
  state,
}: {
  readonly state?: Readonly<Record<string, unknown>>
}): Endpoint | undefined {
  return state?.['endpoint'] as Endpoint | undefined
}

/** Whether a program asks, which cannot read a page. */
export function isForProgram(ctx: Parameters<typeof endpointOf>[0]): boolean {
  const endpoint = endpointOf(ctx)
  return endpoint !== undefined && endpoint.kind !== 'page'
}
