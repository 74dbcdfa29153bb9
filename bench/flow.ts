import { type Answer, type Connection, cookiesOf, expect, headerOf, type Sent } from './connection.ts'
import { PKCE, REDIRECT_URI } from './minting.ts'
import { codeExchange, type Work } from './requests.ts'
import type { Target } from './target.ts'

const DEVICE_COOKIES = ['device', 'device.sig']

/**
 * Everything a browser and an app do: authorize, the page, the password, back, the code. Consent is skipped: a first-party app. Each
 * connection is a browser that has signed in before: of its cookies it keeps the one that says so, and no session.
 */
export function signInWithBrowser(target: Target): Work {
  const query = new URLSearchParams({
    client_id: target.facts.apiClient.id,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'openid email',
    state: 's',
    code_challenge: PKCE.challenge,
    code_challenge_method: 'S256',
  })
  const devices = new WeakMap<Connection, [string, string][]>()
  return async (connection) => {
    const jar = new Map<string, string>(devices.get(connection))
    const go = async (sent: Sent): Promise<Answer> => {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
      const answer = await connection.send({ ...sent, headers: { accept: 'text/html', ...(cookie ? { cookie } : {}) } })
      for (const [name, value] of cookiesOf(answer)) if (value) jar.set(name, value)
      return answer
    }
    let answer = await go({ path: `/auth?${query.toString()}` })
    for (let hops = 0; hops < 6; hops++) {
      const location = headerOf(answer, 'location')
      if (location?.startsWith(REDIRECT_URI)) {
        const code = new URL(location).searchParams.get('code') ?? ''
        expect(await connection.send(codeExchange(target, code)), 200)
        devices.set(
          connection,
          [...jar].filter(([name]) => DEVICE_COOKIES.includes(name)),
        )
        return
      }
      answer = await go(location ? { path: location.replace(/^https?:\/\/[^/]+/, '') } : loginForm(answer, target))
    }
    throw new Error(`the flow ended at ${answer.status}`)
  }
}

function loginForm(answer: Answer, { facts }: Target): Sent {
  const { body } = expect(answer, 200)
  const path = /<form[^>]*action="([^"]*\/login)"/.exec(body)?.[1] ?? ''
  const csrf = /name="_csrf"[^>]*value="([^"]*)"/.exec(body)?.[1] ?? ''
  return { method: 'POST', path, form: { _csrf: csrf, username: facts.email, password: facts.password } }
}
