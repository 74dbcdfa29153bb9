import { z } from 'zod'
import { upstreamProof } from '../../../accounts/factors/methods/upstream.ts'
import { AppError } from '../../../errors.ts'
import { findApiApp } from '../../../oidc/clients/api-app.ts'
import { settingsOf } from '../../../oidc/clients/settings.ts'
import { family, operation } from '../operation.ts'
import type { AuthApiDeps } from './deps.ts'
import { CLIENT_ID, PROVIDER, SESSION, TOKENS, UPSTREAM, USER } from './examples.ts'
import { named } from './fields.ts'
import { stranger } from './guards.ts'
import { BINDING, issue, SignedInAnswer, secondStepWanted } from './signed-in.ts'

const url = z.string().min(1).max(2048)

export const UPSTREAM_SIGN_IN = family('Sign-in by a provider', {
  listProviders: operation({
    route: 'GET /providers',
    guard: stranger,
    limit: 'account',
    summary: 'Whom people may sign in with',
    answer: named('Providers', {
      providers: z.array(named('Provider', { id: z.string(), name: z.string(), kind: z.string() })),
    }),
    example: { answer: { providers: [PROVIDER] } },
    handle: async (_input, _call, { providers }) => ({
      providers: (await providers.offered()).map(({ id, name, kind }) => ({ id, name, kind })),
    }),
  }),

  beginUpstream: operation({
    route: 'POST /upstream/{provider}',
    guard: stranger,
    limit: 'options',
    summary: 'Begin to sign in by a provider',
    description:
      'The app opens `url` in a browser within ten minutes. That ends at `redirect_uri` with `state` and `code`, or with an `error`: `access_denied`, `temporarily_unavailable`, `server_error`, or `interaction_required` where the person has to sign in on the hosted pages, as at the first meeting. `client_id` is an app registered with `--account-api`, and `redirect_uri` one of its own.',
    refusals: ['not_found'],
    body: named('BeginUpstreamBody', {
      client_id: z.string().min(1).max(512),
      redirect_uri: url,
      code_challenge: z
        .string()
        .regex(/^[\w-]{43}$/)
        .describe('Of a verifier of the app, S256 (RFC 7636 4.2).'),
      state: z.string().min(1).max(512).optional().describe('Comes back as it is.'),
    }),
    answer: named('BegunUpstream', { url: z.url() }),
    example: {
      body: {
        client_id: CLIENT_ID,
        redirect_uri: UPSTREAM.redirectUri,
        code_challenge: UPSTREAM.challenge,
        state: 'b7Jx',
      },
      answer: { url: UPSTREAM.url },
    },
    async handle(input, { param }, { authorizationServer, issuer, providers, tickets }) {
      const { client_id: clientId, redirect_uri: redirectUri, code_challenge: challenge } = input
      const client = await findApiApp(authorizationServer, clientId)
      const provider = await providers.findOffered(param('provider'), settingsOf(client))
      if (!provider) throw new AppError('not_found')
      if (!client) throw new AppError('invalid_input', { fields: { client_id: 'invalid_format' } })
      if (!client.redirectUriAllowed(redirectUri))
        throw new AppError('invalid_input', { fields: { redirect_uri: 'invalid_url' } })
      const { state } = input
      const ticket = tickets.seal({
        providerId: provider.id,
        clientId,
        redirectUri,
        challenge,
        ...(state === undefined ? {} : { state }),
      })
      return { url: `${issuer}/upstream/${provider.id}/app/${ticket}` }
    },
  }),

  signInUpstream: operation({
    route: 'POST /sign-in/upstream',
    guard: stranger,
    limit: 'sign-in',
    summary: 'Sign in by a provider',
    description:
      'The code is good once, within two minutes, and with the verifier of its challenge. With two-step sign-in on it is refused with `mfa_required` and a token, which goes to `/sign-in/email` with a code of the second step, or to `/sign-in/mfa`.',
    refusals: [
      'invalid_code',
      'invalid_credentials',
      'mfa_required',
      'method_not_offered',
      'terms_required',
    ],
    body: named('SignInUpstreamBody', {
      code: z.string().min(1).max(128),
      code_verifier: z
        .string()
        .regex(/^[\w.~-]{43,128}$/)
        .describe('RFC 7636 4.1.'),
    }),
    answer: SignedInAnswer,
    example: {
      body: { code: UPSTREAM.code, code_verifier: UPSTREAM.verifier },
      answer: { ...TOKENS, session: SESSION, user: USER },
    },
    async handle(input, { origin }, deps) {
      const redeemed = await deps.appCodes.redeem(input.code, input.code_verifier)
      const { providerId, clientId, person } = redeemed
      await ensureOffered(deps, clientId, providerId)
      const meeting = await deps.meetings.meet(providerId, person, origin)
      if (meeting.kind !== 'known') throw new AppError('invalid_code')
      const upstream = { providerId, sid: person.sid }
      const proofs = [upstreamProof(person.amr)]
      const first = { account: meeting.account, proofs, binding: BINDING, origin, upstream }
      const outcome = await deps.firstStep.proceed(first)
      if (outcome.status === 'mfa_required') throw await secondStepWanted(deps, outcome)
      return issue(deps, { ...outcome, upstream }, origin)
    },
  }),
})

/** The app and the provider may have been turned off while the person was away (UP-05). */
async function ensureOffered(
  { authorizationServer, providers }: AuthApiDeps,
  clientId: string,
  providerId: string,
): Promise<void> {
  const client = await findApiApp(authorizationServer, clientId)
  const provider = client && (await providers.findOffered(providerId, settingsOf(client)))
  if (!provider) throw new AppError('method_not_offered')
}
