import { join } from 'node:path'
import { DOES_ALL, type Party, WEB } from '../party.ts'

/** A key pair of tests, which protects nothing. */
const KEYS = join(import.meta.dirname, 'keys')
const SPRING_WEB = '--redirect {app}/login/oauth2/code/gatehouse --post-logout-redirect {app}/'
const java = (jar: string) => ['java', '-Xmx256m', '-XX:TieredStopAtLevel=1', '-jar', jar] as const

const CLIENT = 'SPRING_SECURITY_OAUTH2_CLIENT'
const RESOURCE_SERVER = 'SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT'

/** By the versions of `spring/pom.xml` and `preparing.ts`, of the same sources. */
interface Spring {
  readonly version: string
  readonly pkce?: string
  readonly isSlow?: true
}
const SPRINGS: readonly Spring[] = [
  { version: '4.1.2' },
  // It sends a challenge for public clients only.
  { version: '3.5.7', pkce: '--pkce or_nonce', isSlow: true },
]
type More = Partial<Party> & { readonly scope?: string }

/** Spring Boot, by the settings of its reference; `scope` are those that it asks for. */
function spring({ version, pkce, ...which }: Spring, more: More = {}): Party {
  const { scope = 'openid,profile,email,offline_access', create = '', ...rest } = more
  return {
    name: 'Spring Boot',
    version,
    ...which,
    create: [SPRING_WEB, pkce, create].filter(Boolean).join(' '),
    program: java(`spring/target/spring-${version}.jar`),
    ...DOES_ALL,
    signIn: '/oauth2/authorization/gatehouse',
    ...rest,
    settings: {
      SERVER_PORT: '{PORT}',
      SERVER_FORWARDHEADERSSTRATEGY: 'framework',
      [`${CLIENT}_PROVIDER_GATEHOUSE_ISSUERURI`]: '{OIDC_ISSUER}',
      [`${CLIENT}_REGISTRATION_GATEHOUSE_CLIENTID`]: '{OIDC_CLIENT_ID}',
      [`${CLIENT}_REGISTRATION_GATEHOUSE_CLIENTSECRET`]: '{OIDC_CLIENT_SECRET}',
      [`${CLIENT}_REGISTRATION_GATEHOUSE_SCOPE`]: scope,
      [`${RESOURCE_SERVER}_ISSUERURI`]: '{OIDC_ISSUER}',
      [`${RESOURCE_SERVER}_AUDIENCES`]: '{ORIGIN}/api',
      ...rest.settings,
    },
  }
}

/** One token for userinfo and for the API of the app itself. */
export const WITH_API = SPRINGS.map((each) =>
  spring(each, {
    name: 'Spring Boot and an API of its own',
    api: '--identifier {app}/api --name API --scope read --userinfo --signing-alg RS256 --token-typ JWT',
    create: '--resource {app}/api',
    scope: 'openid,profile,email,offline_access,read',
  }),
)

/** Its address for sign-outs is in the network of the operator. */
export const TOLD_OF_SIGN_OUTS = SPRINGS.map((each) =>
  spring(each, {
    name: 'Spring Boot with back-channel logout',
    create:
      '--backchannel-logout {inside}/logout/connect/back-channel/gatehouse --backchannel-http',
  }),
)

const WITH_KEY = SPRINGS.map((each) =>
  spring(each, {
    name: 'Spring Boot with private_key_jwt',
    create: `--auth-method private_key_jwt --jwks ${KEYS}/public.json --assertion-audience token-endpoint`,
    refresh: { because: 'its documentation gives the key to the code exchange only' },
    settings: {
      [`${CLIENT}_REGISTRATION_GATEHOUSE_CLIENTAUTHENTICATIONMETHOD`]: 'private_key_jwt',
      CLIENT_KEY: `${KEYS}/private.json`,
    },
  }),
)

const small = { ...DOES_ALL, isSlow: true, create: WEB } as const

/** In Java; versions as in the `pom.xml` of each. */
export const PARTIES: readonly Party[] = [
  ...SPRINGS.map((each) => spring(each)),
  ...WITH_API,
  ...TOLD_OF_SIGN_OUTS,
  ...WITH_KEY,
  {
    ...small,
    name: 'Nimbus OAuth 2.0 SDK',
    version: '11.38.2',
    program: ['java', '-Xmx128m', '-cp', 'nimbus/target/classes:nimbus/target/lib/*', 'party.Main'],
  },
  {
    ...small,
    name: 'Quarkus',
    version: '3.33.2',
    program: java('quarkus/target/quarkus-app/quarkus-run.jar'),
    signIn: '/me',
    refresh: { because: 'it refreshes by itself when a token is over' },
  },
  {
    ...small,
    name: 'pac4j in Javalin',
    version: '6.0.4.1',
    create: '--preset pac4j --url {app} --post-logout-redirect {app}/',
    program: ['java', '-Xmx128m', '-cp', 'pac4j/target/classes:pac4j/target/lib/*', 'party.Main'],
    signIn: '/me',
    refresh: { because: 'it refreshes by itself when a token is over' },
  },
  {
    isSlow: true,
    name: 'Keycloak, for which we are an identity provider',
    version: '26.7.3',
    create: '--preset keycloak-broker --url {app}/realms/party',
    program: ['node', 'keycloak/app.js'],
    person: ['given_name=Ada', 'family_name=Lovelace'],
    signIn: '/login',
    email: '/me',
    refresh: { because: 'it asks for the person once' },
    signOut: { at: '/logout', ends: 'both' },
  },
]
