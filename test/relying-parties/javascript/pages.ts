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
]
