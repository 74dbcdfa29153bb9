import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ApiAnswer, api, type SignedIn, signedIn, startApi, withMfa } from '../support/api.ts'
import { renderCommonPasswords } from '../support/common-passwords.ts'
import type { TestServer } from '../support/server.ts'

const SAMPLE = 1000
const AT_ONCE = 20
const words = renderCommonPasswords().toString('utf8').trimEnd().split('\n')

let server: TestServer
let owner: SignedIn
beforeAll(async () => {
  server = await startApi()
  owner = await signedIn(server)
  await withMfa(server, owner)
})
afterAll(() => server.stop())

/**
 * So many entries of at least this length, spread over the list; those that are too short are
 * doubled until they are long enough.
 */
function sample(length: number): string[] {
  const fitting = words.filter((word) => [...word].length >= length)
  const rest = words.filter((word) => [...word].length >= 8 && [...word].length < length)
  const spread = (from: readonly string[], count: number) =>
    Array.from(
      { length: Math.min(count, from.length) },
      (_, at) => from[Math.floor((at * from.length) / Math.min(count, from.length))] ?? '',
    )
  const own = spread(fitting, SAMPLE)
  return [...own, ...spread(rest, SAMPLE - own.length).map((word) => word.repeat(2))]
}

describe('PW-04 each of 1,000 entries of the list is refused with its reason', () => {
  it.each<[string, number, (password: string) => Promise<ApiAnswer>]>([
    [
      'sign-up',
      15,
      (password) =>
        api(server, 'POST /sign-up/email', { name: 'Una', email: 'u@x.example.org', password }),
    ],
    [
      'a reset',
      15,
      (password) =>
        api(server, 'PATCH /forgot/password', {
          email: 'u@x.example.org',
          password,
          tokenId: crypto.randomUUID(),
          code: '000000',
        }),
    ],
    [
      'a change beside a second factor',
      8,
      (password) =>
        api(
          server,
          'PATCH /edit/password',
          { email: owner.email, password, tokenId: 'x', code: '000000' },
          { token: owner.token },
        ),
    ],
  ])('at %s', async (_where, length, ask) => {
    const entries = sample(length)
    expect(entries).toHaveLength(SAMPLE)
    for (let at = 0; at < entries.length; at += AT_ONCE) {
      const asked = entries.slice(at, at + AT_ONCE)
      const answers = await Promise.all(asked.map(ask))
      const told = answers.map(({ status, body }, index) => [
        asked[index],
        status,
        body.error,
        body.fields?.password,
      ])
      expect(told).toEqual(asked.map((word) => [word, 400, 'password_rejected', 'too_common']))
    }
  })
})
