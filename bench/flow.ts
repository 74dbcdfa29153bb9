import { type Answer, cookiesOf, expect, headerOf, type Sent } from './connection.ts'
import { PKCE, REDIRECT_URI } from './minting.ts'
import { codeExchange, type Work } from './requests.ts'
import type { Target } from './target.ts'

const DEVICE_COOKIES = ['gatehouse_device', 'gatehouse_device.sig']

/** Cookies by which each person's browser is known: all that it keeps of one sign-in for the next. */
const browsers = new WeakMap<Target, Map<string, [string, string][]>>()

/**
 * Everything a browser and an app do: authorize, the page, the password, back, the code. Consent is
 * skipped: a first-party app.
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
  const known = browsers.get(target) ?? new Map<string, [string, string][]>()
  browsers.set(target, known)
  return async (connection) => {
    const person = target.nextPerson()
    const jar = new Map<string, string>(known.get(person))
    const go = async (sent: Sent): Promise<Answer> => {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
      const answer = await connection.send({
        ...sent,
        headers: { accept: 'text/html', ...(cookie ? { cookie } : {}) },
      })
      for (const [name, value] of cookiesOf(answer)) if (value) jar.set(name, value)
      return answer
    }
    let answer = await go({ path: `/auth?${query.toString()}` })
    for (let hops = 0; hops < 6; hops++) {
      const location = headerOf(answer, 'location') ?? refreshOf(answer)
      if (location?.startsWith(REDIRECT_URI)) {
        const code = new URL(location).searchParams.get('code') ?? ''
        expect(await connection.send(codeExchange(target, code)), 200)
        known.set(
          person,
          [...jar].filter(([name]) => DEVICE_COOKIES.includes(name)),
        )
        return
      }
      answer = await go(
        location
          ? { path: location.replace(/^https?:\/\/[^/]+/, '') }
          : loginForm(answer, person, target.facts.password),
      )
    }
    throw new Error(`the flow ended at ${answer.status}`)
  }
}

/** The page from which Gatehouse's browser goes on to the app. */
function refreshOf({ body }: Answer): string | undefined {
  return /<meta http-equiv="refresh" content="0;url=([^"]*)">/
    .exec(body)?.[1]
    ?.replaceAll('&amp;', '&')
}

function loginForm(answer: Answer, username: string, password: string): Sent {
  const { body } = expect(answer, 200)
  const path = /<form[^>]*action="([^"]*\/login)"/.exec(body)?.[1] ?? ''
  const csrf = /name="_csrf"[^>]*value="([^"]*)"/.exec(body)?.[1] ?? ''
  return { method: 'POST', path, form: { _csrf: csrf, username, password } }
}
