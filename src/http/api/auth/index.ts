import type Router from '@koa/router'
import type { Middleware } from 'koa'
import { API_SCOPE } from '../../../oidc/clients/built-in-clients.ts'
import type { RateLimit } from '../../middleware/rate-limit.ts'
import type { Api } from '../api.ts'
import { apiDoor, apiRouter } from '../router.ts'
import { APPS } from './apps.ts'
import { CREDENTIALS } from './credentials.ts'
import type { AuthApiDeps } from './deps.ts'
import { CLIENT_ID, EXPIRES, IDS, PROVIDER, STEP_TOKENS, TERMS } from './examples.ts'
import { SCHEMAS } from './fields.ts'
import { challenge } from './guards.ts'
import { IDENTITIES } from './identities.ts'
import { OWN_DATA } from './own-data.ts'
import { PASSKEY_SIGN_IN } from './passkey-sign-in.ts'
import { PASSKEYS } from './passkeys.ts'
import { PROFILE } from './profile.ts'
import { PROOFS } from './proofs.ts'
import { SESSIONS } from './sessions.ts'
import { Refusal } from './shapes.ts'
import { SIGN_IN } from './sign-in.ts'
import { SIGN_IN_CODE } from './sign-in-code.ts'
import { SIGN_UP } from './sign-up.ts'
import { TERMS_OPERATIONS } from './terms.ts'
import { UPSTREAM_SIGN_IN } from './upstream-sign-in.ts'
import { VERIFICATION } from './verification.ts'

/** The JSON door for apps with their own screens. */
export const ACCOUNT_API: Api<AuthApiDeps> = {
  title: 'account API',
  prefix: '/api/auth',
  scope: API_SCOPE,
  operations: [
    ...TERMS_OPERATIONS,
    ...SIGN_UP,
    ...SIGN_IN,
    ...SIGN_IN_CODE,
    ...PASSKEY_SIGN_IN,
    ...UPSTREAM_SIGN_IN,
    ...PROFILE,
    ...CREDENTIALS,
    ...VERIFICATION,
    ...PROOFS,
    ...PASSKEYS,
    ...IDENTITIES,
    ...SESSIONS,
    ...APPS,
    ...OWN_DATA,
  ],
  schemas: SCHEMAS,
  refusal: Refusal,
  refusalExamples: {
    invalid_input: { fields: { email: 'required' } },
    password_rejected: { fields: { password: 'too_common' } },
    mfa_required: { token: STEP_TOKENS.signIn, methods: ['totp', 'recovery'], expires_in: 600 },
    passkey_unknown: { signal: { rpId: 'id.example.org', credentialId: 'bN4xV7zL1kQ9wE3rT6yUiA' } },
    terms_required: { version: TERMS.version, url: TERMS.url, token: TERMS.token, ...EXPIRES },
    email_unverified: { userId: IDS.user, tokenId: IDS.signUp },
  },
  parameterExamples: { id: IDS.otherSession, clientId: CLIENT_ID, provider: PROVIDER.id },
  challenge,
}

export const authRoutes = (deps: AuthApiDeps, limit: RateLimit): Router =>
  apiRouter(ACCOUNT_API, deps, limit)

export const authApi = (deps: AuthApiDeps, limit: RateLimit): Middleware =>
  apiDoor(ACCOUNT_API, deps, limit)
