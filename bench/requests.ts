import { type Connection, expect, type Sent } from './connection.ts'
import { PKCE, REDIRECT_URI } from './minting.ts'
import type { Target } from './target.ts'

/**
 * One unit of work on one connection; `worker` is the connection's number. Throws when it did not
 * succeed.
 */
export type Work = (connection: Connection, worker: number) => Promise<void>

/** These requests one after the other. */
export function inTurn(...requests: readonly Sent[]): Work {
  return async (connection) => {
    for (const request of requests) expect(await connection.send(request), 200)
  }
}

export function basic(id: string, secret: string): Record<string, string> {
  return {
    authorization: `Basic ${Buffer.from(`${id}:${encodeURIComponent(secret).replaceAll('%20', '+')}`).toString('base64')}`,
  }
}

export function tokenRequest(
  { facts }: Target,
  form: Record<string, string>,
  clientId = facts.apiClient.id,
): Sent {
  return {
    method: 'POST',
    path: facts.paths.token,
    headers: basic(clientId, facts.apiClient.secret),
    form,
  }
}

export function clientCredentials(target: Target, clientId?: string): Sent {
  return tokenRequest(
    target,
    { grant_type: 'client_credentials', scope: 'read', resource: target.facts.resource },
    clientId,
  )
}

export function codeExchange(target: Target, code: string): Sent {
  return tokenRequest(target, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: PKCE.verifier,
  })
}

export function introspection({ facts }: Target, token: string): Sent {
  const headers = basic(facts.apiClient.id, facts.apiClient.secret)
  return { method: 'POST', path: facts.paths.introspection, headers, form: { token } }
}

export function userinfo({ facts }: Target, token: string): Sent {
  return { path: facts.paths.userinfo, headers: { authorization: `Bearer ${token}` } }
}

export function passwordSignIn(target: Target): Sent {
  return {
    method: 'POST',
    path: '/api/auth/sign-in/email',
    json: { email: target.nextPerson(), password: target.facts.password },
  }
}
