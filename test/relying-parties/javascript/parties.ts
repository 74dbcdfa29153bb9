import { DOES_ALL, IN_ID_TOKEN, type Party, WEB, WITHOUT_PKCE } from '../party.ts'

const MCP = '--identifier {app}/mcp --name Tools --scope tools'
const NO_REFRESH = { because: 'the library leaves refreshing to the app' }
const node = (app: string) => ['node', `apps/${app}.js`] as const

const local = {
  ...DOES_ALL,
  refresh: NO_REFRESH,
  signOut: { at: '/logout', ends: 'here' },
} as const

/** In JavaScript, by the same names as in `package.json`. */
export const PARTIES: readonly Party[] = [
  {
    ...DOES_ALL,
    name: 'openid-client',
    version: '6.9.0',
    create: WEB,
    program: node('openid-client-6'),
  },
  {
    ...DOES_ALL,
    name: 'openid-client',
    version: '5.7.1',
    create: WEB,
    program: node('openid-client-5'),
  },
  {
    ...DOES_ALL,
    name: 'oauth4webapi',
    version: '3.8.8',
    create: WEB,
    program: node('oauth4webapi'),
  },
  {
    ...DOES_ALL,
    name: 'express-openid-connect',
    version: '3.4.0',
    create: `--redirect {app}/callback --post-logout-redirect {app} ${IN_ID_TOKEN}`,
    program: node('express-openid-connect'),
  },
  {
    ...local,
    name: '@auth/express',
    version: '0.12.3',
    create: `--redirect {app}/auth/callback/gatehouse ${IN_ID_TOKEN}`,
    program: node('auth-express'),
    signIn: '/auth/signin',
    signOut: { at: '/auth/signout', ends: 'here' },
  },
  {
    ...local,
    name: 'next-auth',
    version: '4.24.15',
    create: `--redirect {app}/api/auth/callback/gatehouse ${IN_ID_TOKEN}`,
    program: node('next-auth-4'),
    signIn: '/api/auth/signin',
    email: '/api/auth/session',
    signOut: { at: '/api/auth/signout', ends: 'here' },
  },
  {
    ...DOES_ALL,
    name: 'better-auth',
    version: '1.7.25',
    create: `--redirect {app}/api/auth/callback/gatehouse ${WITHOUT_PKCE}`,
    program: node('better-auth'),
    signOut: { at: '/logout', ends: 'here' },
  },
  {
    ...local,
    name: 'passport-openidconnect',
    version: '0.1.2',
    create: `${WEB} ${WITHOUT_PKCE} ${IN_ID_TOKEN}`,
    program: node('passport-openidconnect'),
  },
  {
    ...local,
    name: 'passport-oauth2',
    version: '1.8.0',
    create: `${WEB} ${WITHOUT_PKCE}`,
    program: node('passport-oauth2'),
  },
  {
    ...DOES_ALL,
    name: 'simple-oauth2',
    version: '5.1.0',
    create: `${WEB} ${WITHOUT_PKCE}`,
    program: node('simple-oauth2'),
    signOut: { at: '/logout', ends: 'here' },
  },
  {
    ...local,
    name: 'grant',
    version: '5.4.24',
    create: `--redirect {app}/connect/gatehouse/callback ${WITHOUT_PKCE}`,
    program: node('grant'),
    signIn: '/connect/gatehouse',
  },
  {
    ...DOES_ALL,
    name: '@modelcontextprotocol/sdk',
    version: '1.32.2',
    api: MCP,
    isLocal: true,
    create:
      '--type native --redirect {app}/callback --resource {app}/mcp --scope tools offline_access',
    program: node('mcp'),
    email: { because: 'its token is for the MCP server, which learns the sub' },
    signOut: { because: 'the SDK knows none' },
  },
]
