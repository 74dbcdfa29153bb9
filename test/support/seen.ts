import type { ApiAnswer } from './api.ts'
import type { Page } from './browser.ts'

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

/** What an observer sees of a page, less what is random for everybody. */
export function seen(page: Page, email: string) {
  const blur = (text: string) =>
    text
      .replaceAll(email, 'EMAIL')
      .replaceAll(encodeURIComponent(email), 'EMAIL')
      .replace(/(\/(?:interaction|auth)\/|[?&]interaction=)[\w-]+/g, '$1UID')
      .replace(/nonce(?:=|-)"?[\w-]+/g, 'NONCE')
      .replace(/name="_csrf" value="[\w-]+"/g, 'CSRF')
      .replace(/value="[\w-]+" name="_csrf"/g, 'CSRF')
      // Another one for each page, as the CSRF token is.
      .replace(/(&quot;challenge&quot;:&quot;)[\w-]{48}(?=&quot;)/g, '$1CHALLENGE')
      .replace(UUID, 'ID')
  const headers = [...page.response.headers]
    .filter(([name]) => !['date', 'x-request-id', 'set-cookie', 'etag'].includes(name))
    .map(([name, value]) => `${name}: ${blur(value)}`)
  const cookies = page.response.headers
    .getSetCookie()
    .map((line) => line.replace(/=[^;]*/, '=').replace(/expires=[^;]*/gi, 'expires'))
  return {
    status: page.status,
    path: blur(page.url.pathname),
    headers,
    cookies,
    body: blur(page.text),
  }
}

/** What a caller of the account API sees, but for random ids and the clock. */
export function seenByCaller({ status, headers, text }: ApiAnswer): string {
  const shown = [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name))
  return JSON.stringify({ status, headers: shown, text: text.replace(UUID, '<uuid>') })
}
