import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { api, startApi } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, createResource } from '../support/factories.ts'
import { signedInApp, signIn } from '../support/protocol.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'

const REDIRECT = 'https://client.example/callback'

let server: TestServer
let resource: string
beforeAll(async () => {
  server = await startApi()
  resource = `${server.origin}/api/auth`
})
afterAll(() => server.stop())

/** Registered as the command does it. */
async function registered(resources: readonly string[] = []): Promise<RelyingParty> {
  const input = { name: 'Plant Diary', redirectUris: [REDIRECT], resources: [...resources] }
  const { client, secret = '' } = await server.context.clients.create(input)
  return relyingParty(server, { clientId: client.id, clientSecret: secret, redirectUri: REDIRECT })
}

describe('the account API', () => {
  it('CL-01 is not for an app that is registered for other APIs only: invalid_target, at both endpoints', async () => {
    const { identifier } = await createResource(server)
    const app = await registered([identifier])
    const browser = new Browser(server.origin)
    const { url } = await browser.visit(app.authorizationUrl({ scope: 'openid account', resource }))
    expect(url.searchParams.get('error')).toBe('invalid_target')

    await browser.visit(app.authorizationUrl({ scope: 'openid' }))
    await signIn(browser, (await createAccount(server)).email)
    const back = await browser.submit('/consent', {}, { button: 'allow' })
    await expect(app.redeem(back.url, { resource })).rejects.toMatchObject({ error: 'invalid_target' })
  })

  it.each([
    ['named it', () => [resource]],
    ['names no API', () => []],
  ])('CL-01 is for an app that %s, after the person has been asked in words', async (_what, resources) => {
    const app = await registered(resources())
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid account', resource }))
    const asked = await signIn(browser, account.email)
    expect(asked.words).toContain('Manage your account')
    const { access_token: token } = await app.redeem((await browser.submit('/consent', {}, { button: 'allow' })).url)
    const answer = await api(server, 'POST /user/me', undefined, { token })
    expect(answer).toMatchObject({ status: 200, body: { user: { id: account.id } } })
    await server.context.audit.flush()
    const { body } = await api(server, 'GET /user/activity', undefined, { token })
    const signIns = body.events.filter(({ type }: { type: string }) => type === 'sign_in')
    expect(signIns).toHaveLength(1)
  })

  it('CL-01 a service, which has no person, cannot be registered for it', async () => {
    const made = server.context.clients.create({ name: 'Night job', type: 'service', resources: [resource] })
    await expect(made).rejects.toMatchObject({ code: 'invalid_input' })
  })
})

describe('the callback of the account pages', () => {
  it('TK-01 spends no code of an app', async () => {
    const app = await signedInApp(server)
    const code = await app.code()
    await new Browser(server.origin).visit(`/account/callback?code=${code}&state=/account`)
    expect((await app.redeem(code)).status).toBe(200)
  })
})
