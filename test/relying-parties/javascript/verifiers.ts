import type { Party } from '../party.ts'

/** Libraries that verify access tokens, in one program; each has a path. */
export const VERIFIERS = {
  paths: ['/express-jwt', '/get-jwks'],
  versions: { 'jwks-rsa': '4.1.0', 'express-jwt': '8.5.1', 'get-jwks': '11.0.3' },
  party: {
    name: 'an API',
    isLocal: true,
    version: '1',
    api: '--identifier {app}/api --name API --signing-alg RS256 --scope read',
    create: '--type service --scope read --resource {app}/api',
    program: ['node', 'apps/verifiers.js'],
    signIn: '/',
    email: { because: 'it verifies' },
    refresh: { because: 'it verifies' },
    signOut: { because: 'it verifies' },
  },
} as const satisfies { party: Party; paths: readonly string[]; versions: object }
