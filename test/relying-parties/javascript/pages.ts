import type { Party } from '../party.ts'

const PAGE = '--type spa --redirect {app}/ --post-logout-redirect {app}/'
const inBrowser = {
  isLocal: true,
  signIn: '#login',
  email: 'output',
  refresh: '#refresh',
  signOut: { at: '#logout', ends: 'both' },
} as const

/** Apps that live in the browser; their ways are buttons of a page. */
export const PAGES: readonly Party[] = [
  {
    ...inBrowser,
    name: 'oidc-client-ts',
    version: '3.5.0',
    create: PAGE,
    program: ['node', 'apps/pages.js', 'oidc-client-ts.html'],
  },
  {
    ...inBrowser,
    name: 'keycloak-js',
    version: '26.2.4',
    api: '--identifier {app}/api --name API --scope read --userinfo',
    create: `${PAGE} --resource {app}/api --response-mode query --response-mode fragment`,
    program: ['node', 'apps/pages.js', 'keycloak-js.html'],
    refresh: { because: 'it reads refresh tokens as JWTs; here they are opaque' },
  },
]
