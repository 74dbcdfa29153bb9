import { type Answer, cookiesOf, expect, headerOf, type Sent } from './connection.ts'
import { PKCE, REDIRECT_URI } from './minting.ts'
import { codeExchange, type Work } from './requests.ts'
import type { Target } from './target.ts'

const DEVICE_COOKIES = ['gatehouse_device', 'gatehouse_device.sig']

/** What each person's browser keeps of one sign-in for the next. */
const browsers = new WeakMap<Target, Map<string, [string, string][]>>()

/**
 * Everything a browser and an app do: authorize, the page, the password, back, the code. Consent is
 * skipped: a first-party app. Browsers are known by their cookie of the device, and nobody is signed
 * in when it begins.
 */
export function signInWithBrowser(target: Target): Work {
  return flow(target, {
    personOf: () => target.nextPerson(),
    keeps: (name) => DEVICE_COOKIES.includes(name),
  })
}

/** The same by people who stay signed in: authorize, and the code. */
export function signedInWithBrowser(target: Target): Work {
  const { people } = target.facts
  return flow(target, {
    personOf: (worker) => people[worker % people.length] ?? '',
    keeps: () => true,
  })
}

interface Habits {
  personOf(worker: number): string
  /** Cookies that are there for the next sign-in. */
  keeps(name: string): boolean
}

function flow(target: Target, { personOf, keeps }: Habits): Work {
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
  return async (connection, worker) => {
    const person = personOf(worker)
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
          [...jar].filter(([name]) => keeps(name)),
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
