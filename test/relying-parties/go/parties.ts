import { DOES_ALL, type Party, WEB, WITH_NONCE, WITHOUT_PKCE } from '../party.ts'

const go = (program: string) => [`bin/${program}`] as const

/** Of oauth2-proxy: settings as its documentation has "OpenID Connect", and a cookie that refreshes. */
export const REFRESH_SECONDS = 2
export const OAUTH2_PROXY: Party = {
  name: 'oauth2-proxy',
  version: '7.15.6',
  create: `--redirect {app}/oauth2/callback ${WITHOUT_PKCE}`,
  program: go('oauth2-proxy'),
  settings: {
    OAUTH2_PROXY_PROVIDER: 'oidc',
    OAUTH2_PROXY_OIDC_ISSUER_URL: '{OIDC_ISSUER}',
    OAUTH2_PROXY_CLIENT_ID: '{OIDC_CLIENT_ID}',
    OAUTH2_PROXY_CLIENT_SECRET: '{OIDC_CLIENT_SECRET}',
    OAUTH2_PROXY_REDIRECT_URL: '{OIDC_REDIRECT_URI}',
    OAUTH2_PROXY_SCOPE: 'openid email profile offline_access',
    OAUTH2_PROXY_EMAIL_DOMAINS: '*',
    OAUTH2_PROXY_COOKIE_SECRET: 'sixteen bytes...',
    OAUTH2_PROXY_REVERSE_PROXY: 'true',
    OAUTH2_PROXY_TRUSTED_PROXY_IPS: '127.0.0.1,::1',
    OAUTH2_PROXY_COOKIE_REFRESH: `${REFRESH_SECONDS}s`,
    OAUTH2_PROXY_HTTP_ADDRESS: 'localhost:{PORT}',
    OAUTH2_PROXY_UPSTREAMS: 'static://202',
  },
  signIn: '/oauth2/start?rd=/oauth2/userinfo',
  email: '/oauth2/userinfo',
  refresh: { because: 'it refreshes by itself, which has a test of its own' },
  signOut: { at: '/oauth2/sign_out', ends: 'here' },
}

/** In Go, by the same names as in `go.mod`. */
export const PARTIES: readonly Party[] = [
  OAUTH2_PROXY,
  {
    ...DOES_ALL,
    name: 'go-oidc',
    version: '3.21.0',
    create: `${WEB} ${WITH_NONCE}`,
    program: go('goidc'),
  },
  {
    ...DOES_ALL,
    name: 'zitadel/oidc',
    version: '3.52.0',
    create: `${WEB} ${WITHOUT_PKCE}`,
    program: go('zitadel'),
  },
  {
    ...DOES_ALL,
    name: 'hashicorp/cap',
    version: '0.16.0',
    create: `${WEB} ${WITH_NONCE}`,
    program: go('cap'),
    refresh: { because: 'the library has none' },
    signOut: { at: '/logout', ends: 'here' },
  },
]
