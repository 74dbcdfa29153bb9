import type { Fetch } from '../outgoing/guarded-fetch.ts'

interface Kept {
  readonly text: string
  readonly type: string
  readonly at: number
}

/**
 * A fetch that answers with what it got before while the server behind an address gives nothing
 * good, for `staleMs`. For documents only, such as a JWKS; `isKept` says which.
 */
export function keepingAnswers(
  fetch: Fetch,
  { isKept, staleMs }: { readonly isKept: (url: string) => boolean; readonly staleMs: number },
): Fetch {
  const kept = new Map<string, Kept>()
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    if (!isKept(url)) return fetch(input, init)
    try {
      const response = await fetch(input, init)
      if (response.status !== 200) throw new Error(`The status is ${response.status}`)
      const text = await response.text()
      JSON.parse(text)
      const type = response.headers.get('content-type') ?? 'application/json'
      kept.set(url, { text, type, at: Date.now() })
      return answer({ text, type })
    } catch (error) {
      const before = kept.get(url)
      if (!before || before.at + staleMs < Date.now()) throw error
      return answer(before)
    }
  }
}

function answer({ text, type }: Pick<Kept, 'text' | 'type'>): Response {
  return new Response(text, { headers: { 'content-type': type } })
}
