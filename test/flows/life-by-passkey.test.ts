import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { Account } from '../../src/entities/index.ts'
import { api, isAlive, startApi } from '../support/api.ts'
import { Authenticator } from '../support/authenticator.ts'
import { Browser } from '../support/browser.ts'
import { makePasskey, passkeySignIn, showPasskey } from '../support/passkeys.ts'
import { proveMailbox } from '../support/recovering.ts'
import { relyingParty } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'

describe('a whole life by passkeys through the API, without a password', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startApi({ signIn: { methods: ['passkey', 'email-code'] } })
  })
  afterAll(() => server.stop())

  async function addPasskey(token: string, name: string) {
    const device = new Authenticator(server.origin)
    const begun = await api(server, 'POST /passkeys/options', {}, { token })
    expect(begun.status).toBe(200)
    const made = {
      token: begun.body.token,
      credential: device.register(begun.body.publicKey),
      name,
    }
    const added = await api(server, 'POST /passkeys', made, { token })
    expect(added.status).toBe(200)
    return { device, codes: added.body.recovery_codes as string[] }
  }

  it('UX-37 sign-up, a second device, an app that demands phr, loss, recovery, deletion', async () => {
    const email = 'ada@example.org'
    const { userId, tokenId } = (await api(server, 'POST /sign-up/email', { name: 'Ada', email }))
      .body
    const proof = { userId, tokenId, email, code: await server.inbox.code(email) }
    expect((await api(server, 'POST /verify/email', proof)).status).toBe(200)
    const asked = (await api(server, 'POST /sign-in/code', { email })).body
    const typed = { email, tokenId: asked.tokenId, code: await server.inbox.code(email) }
    const first = (await api(server, 'POST /sign-in/code', typed)).body.access_token as string

    const phone = await addPasskey(first, 'Phone')
    expect(phone.codes).toHaveLength(10)
    const laptop = await addPasskey(first, 'Laptop')
    expect(laptop.codes).toEqual([])
    const listed = (await api(server, 'GET /passkeys', undefined, { token: first })).body.passkeys
    expect(listed.map(({ name }: { name: string }) => name).sort()).toEqual(['Laptop', 'Phone'])
    expect((await api(server, 'DELETE /user/logout', undefined, { token: first })).status).toBe(204)

    const here = await passkeySignIn(server, laptop.device)
    expect([here.status, decodeJwt(here.body.access_token)]).toMatchObject([
      200,
      { sub: userId, acr: 'urn:gatehouse:acr:2fa' },
    ])
    const app = await relyingParty(server, { firstParty: true })
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ acr_values: 'phr' }))
    const { url } = await showPasskey(browser, phone.device)
    expect((await app.redeem(url)).claims()).toMatchObject({ sub: userId, acr: 'phr' })

    // Both devices are gone.
    const person = await proveMailbox(server, email)
    await person.submit('/recover/next', { code: phone.codes[0] ?? '' })
    const tablet = new Authenticator(server.origin)
    await makePasskey(person, tablet)
    expect((await passkeySignIn(server, laptop.device)).status).not.toBe(200)
    expect(await isAlive(server, here.body.access_token)).toBe(false)

    const back = (await passkeySignIn(server, tablet)).body
    expect(back.user.id).toBe(userId)
    const token = back.access_token as string
    expect((await api(server, 'DELETE /user', {}, { token })).status).toBe(202)
    const { status } = await server.context.database.em.fork().findOneOrFail(Account, { email })
    expect(status).toBe('deleting')
  })
})
