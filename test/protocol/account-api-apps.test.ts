import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { api, isAlive, startApi } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
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
async function registered({
  accountApi = false,
  resources = [] as string[],
} = {}): Promise<RelyingParty> {
  const input = { name: 'Plant Diary', redirectUris: [REDIRECT], resources, accountApi }
  const { client, secret = '' } = await server.context.clients.create(input)
  return relyingParty(server, { clientId: client.id, clientSecret: secret, redirectUri: REDIRECT })
}

describe('the account API', () => {
  it.each([
    ['that is registered for another API', true],
    ['that was not registered for it by name', false],
  ])('CL-01 is not for an app %s: invalid_target, at both endpoints', async (_what, hasOther) => {
    const { identifier } = await createResource(server, {
      identifier: `https://other-${hasOther}.example/`,
    })
    const app = await registered({ resources: hasOther ? [identifier] : [] })
    const browser = new Browser(server.origin)
    const { url } = await browser.visit(app.authorizationUrl({ scope: 'openid account', resource }))
    expect(url.searchParams.get('error')).toBe('invalid_target')

    await browser.visit(app.authorizationUrl({ scope: 'openid' }))
    await signIn(browser, (await createAccount(server)).email)
    const back = await browser.submit('/consent', {}, { button: 'allow' })
    await expect(app.redeem(back.url, { resource })).rejects.toMatchObject({
      error: 'invalid_target',
    })
  })

  it('CL-01 is for an app that was registered for it, after the person has been asked in words', async () => {
    const app = await registered({ accountApi: true })
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid account', resource }))
    const asked = await signIn(browser, account.email)
    expect(asked.words).toContain('Manage your account')
    const { access_token: token } = await app.redeem(
      (await browser.submit('/consent', {}, { button: 'allow' })).url,
    )
    const answer = await api(server, 'POST /user/me', undefined, { token })
    expect(answer).toMatchObject({ status: 200, body: { user: { id: account.id } } })
    await server.context.audit.flush()
    const { body } = await api(server, 'GET /user/activity', undefined, { token })
    const signIns = body.events.filter(({ type }: { type: string }) => type === 'sign_in')
    expect(signIns).toHaveLength(1)
  })

  it('CL-01 a service, which has no person, cannot be registered for it', async () => {
    const made = server.context.clients.create({
      name: 'Night job',
      type: 'service',
      accountApi: true,
    })
    await expect(made).rejects.toMatchObject({ code: 'invalid_input' })
    const { client } = await server.context.clients.create({ name: 'Night job', type: 'service' })
    await expect(server.context.clients.setAccountApi(client.id, true)).rejects.toMatchObject({
      code: 'invalid_input',
    })
  })

  it('CL-01 is closed to an app from the moment that its registration for it ends, also with what it holds', async () => {
    const app = await registered({ accountApi: true })
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    await browser.visit(
      app.authorizationUrl({ scope: 'openid account offline_access', prompt: 'consent', resource }),
    )
    await signIn(browser, account.email)
    const held = await app.redeem((await browser.submit('/consent', {}, { button: 'allow' })).url)
    expect(await isAlive(server, held.access_token)).toBe(true)
    await server.context.clients.setAccountApi(app.clientId, false)
    await eventually(() => isAlive(server, held.access_token), false)
    await expect(
      app.refresh(held.refresh_token ?? '', { resource, scope: 'account' }),
    ).rejects.toMatchObject({ error: 'invalid_target' })
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
