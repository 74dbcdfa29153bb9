import { createHash, randomUUID } from 'node:crypto'
import { FakeProvider } from './fake-provider.ts'
import { type Answered, type Asked, TlsSite } from './tls.ts'

export const GITHUB_CLIENT = { id: 'Iv1.gatehouse', secret: 'a secret of the fake GitHub' }

/** GitHub, as its Enterprise Server lays out the addresses, on loopback, with all of its habits. */
export class FakeGitHub extends FakeProvider {
  user: Readonly<Record<string, unknown>> = {
    id: 583_231,
    login: 'octocat',
    name: null,
    email: 'public@example.org',
    avatar_url: 'https://avatars.githubusercontent.com/u/583231',
  }
  /** Null: the person has taken the permission away. */
  emails: readonly Readonly<Record<string, unknown>>[] | null = [
    { email: 'octocat@example.org', primary: true, verified: true, visibility: 'private' },
  ]
  readonly #challenges = new Map<string, string>()
  readonly site = new TlsSite({
    '/login/oauth/authorize': (asked) => this.answer(asked),
    '/login/oauth/access_token': (asked) => this.#token(asked),
    '/api/v3/user': (asked) => this.#api(asked, this.user),
    '/api/v3/user/emails': (asked) => this.#api(asked, this.emails),
  })

  protected answer({ url }: Pick<Asked, 'url'>): Answered {
    const code = randomUUID()
    this.secrets.push(code)
    this.#challenges.set(code, url.searchParams.get('code_challenge') ?? '')
    const location = new URL(url.searchParams.get('redirect_uri') ?? '')
    location.searchParams.set('code', code)
    location.searchParams.set('state', url.searchParams.get('state') ?? '')
    return { status: 302, headers: { location: location.href } }
  }

  /** Its errors have status 200. */
  #token({ body, headers }: Asked): Answered {
    const isJson = headers.accept?.includes('application/json')
    const say = (values: Record<string, string>): Answered =>
      isJson
        ? { body: values }
        : {
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams(values).toString(),
          }
    if (
      body.get('client_id') !== GITHUB_CLIENT.id ||
      body.get('client_secret') !== GITHUB_CLIENT.secret
    )
      return say({ error: 'incorrect_client_credentials' })
    const code = body.get('code') ?? ''
    const challenge = this.#challenges.get(code)
    this.#challenges.delete(code)
    const verifier = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url')
    if (challenge === undefined || challenge !== verifier)
      return say({ error: 'bad_verification_code', error_description: 'It is incorrect.' })
    const token = `gho_${randomUUID()}`
    this.secrets.push(token)
    return say({ access_token: token, scope: 'read:user,user:email', token_type: 'bearer' })
  }

  #api({ headers }: Asked, body: unknown): Answered {
    if (!headers['user-agent']) return { status: 403, body: 'Request forbidden: no User-Agent' }
    if (!this.secrets.some((token) => headers.authorization?.endsWith(token)))
      return { status: 401, body: { message: 'Bad credentials' } }
    return body === null ? { status: 404, body: { message: 'Not Found' } } : { body }
  }
}
