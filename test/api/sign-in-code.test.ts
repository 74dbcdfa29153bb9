import { describe, expect, it } from '@jest/globals'
import { LIMITS } from '../../src/config/limits.ts'
import { api, isAlive, startApi } from '../support/api.ts'
import { createAccount } from '../support/factories.ts'
import { enableMfa, ORIGIN } from '../support/people.ts'
import { useApi } from '../support/use-server.ts'

const ROUTE = 'POST /sign-in/code'

describe('POST /sign-in/code', () => {
  const server = useApi({ signIn: { methods: ['email-code'] } })

  async function begun(email: string) {
    const { tokenId } = (await api(server, ROUTE, { email })).body
    return { email, tokenId, code: await server.inbox.code(email) }
  }

  it('gives tokens for the code and the identifier of one call', async () => {
    const account = await createAccount(server)
    const { status, body } = await api(server, ROUTE, await begun(account.email))
    expect([status, body.user.id]).toEqual([200, account.id])
    expect(await isAlive(server, body.access_token)).toBe(true)
  })

  it('AA-02 RL-05 asking for codes counts as asking for mails; typing them does not', async () => {
    const from = '198.51.100.7'
    const email = 'asks.often@example.org'
    const resend = () => api(server, 'POST /resend/verify/email', { email }, { from })
    for (let mail = 0; mail < LIMITS.resend.max - 10; mail += 1)
      expect((await resend()).status).toBe(202)
    const typed = { email, tokenId: '00000000-0000-7000-8000-000000000000', code: '000000' }
    for (let guess = 0; guess < 5; guess += 1)
      expect((await api(server, ROUTE, typed, { from })).status).toBe(400)
    for (let mail = 0; mail < 10; mail += 1)
      expect((await api(server, ROUTE, { email }, { from })).status).toBe(202)
    const over = await api(server, ROUTE, { email }, { from })
    expect([over.status, over.body.error]).toEqual([429, 'too_many_requests'])
    expect((await resend()).status).toBe(429)
  })

  it('a code is good once, and for no other call', async () => {
    const account = await createAccount(server)
    const [first, second] = [await begun(account.email), await begun(account.email)]
    const mixed = await api(server, ROUTE, { ...first, code: second.code })
    expect([mixed.status, mixed.body.error]).toEqual([400, 'invalid_code'])
    expect((await api(server, ROUTE, first)).status).toBe(200)
    expect((await api(server, ROUTE, first)).status).toBe(400)
    expect((await api(server, ROUTE, second)).body.error).toBe('invalid_code')
  })

  it('a code that was asked for on a page is no good here', async () => {
    const account = await createAccount(server)
    const { tokenId } = await server.context.signInCodes.request(
      { email: account.email, binding: 'interaction:abc' },
      ORIGIN,
    )
    const code = await server.inbox.code(account.email)
    const { status } = await api(server, ROUTE, { email: account.email, tokenId, code })
    expect(status).toBe(400)
  })

  it('TF-06 with two-step sign-in on it gives a challenge, whose answer is the second step', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const refused = await api(server, ROUTE, await begun(account.email))
    expect([refused.status, refused.body]).toEqual([
      401,
      expect.objectContaining({ error: 'mfa_required', methods: ['totp', 'recovery'] }),
    ])
    const { token } = refused.body
    const answer = { token, code: await authenticator.code() }
    expect((await api(server, 'POST /sign-in/email', answer)).status).toBe(200)
  })

  it.each(['known', 'unknown'])(
    'RL-06 ten wrong tries an hour are all, over all codes of an address that is %s',
    async (kind) => {
      const email = kind === 'known' ? (await createAccount(server)).email : 'nobody@example.org'
      const statuses: number[] = []
      for (let page = 0; page < 12; page += 1) {
        const { tokenId } = (await api(server, ROUTE, { email })).body
        statuses.push((await api(server, ROUTE, { email, tokenId, code: '000000' })).status)
      }
      expect(statuses).toEqual([...Array.from({ length: 10 }, () => 400), 429, 429])
    },
  )

  it('RL-02 of fifty wrong tries at once no more than ten are judged', async () => {
    const { email } = await createAccount(server)
    const { tokenId } = (await api(server, ROUTE, { email })).body
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => api(server, ROUTE, { email, tokenId, code: '000000' })),
    )
    const count = (status: number) => answers.filter((each) => each.status === status).length
    expect([count(400), count(429)]).toEqual([10, 40])
  })

  it('is refused where it is off, whatever the address', async () => {
    await using other = await startApi()
    const { email } = await createAccount(other)
    for (const address of [email, 'nobody@example.org']) {
      const { status, body } = await api(other, ROUTE, { email: address })
      expect([status, body.error]).toEqual([403, 'method_not_offered'])
    }
  })
})
