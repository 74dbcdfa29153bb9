import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { api, startApi } from '../support/api.ts'
import type { Authenticator } from '../support/authenticator.ts'
import { createAccount } from '../support/factories.ts'
import { givePasskey, passkeySignIn } from '../support/passkeys.ts'
import type { TestServer } from '../support/server.ts'
import { trace } from '../support/tracing.ts'

describe('round trips of passkeys', () => {
  let server: TestServer
  let authenticator: Authenticator

  beforeAll(async () => {
    server = await startApi()
    const account = await createAccount(server)
    authenticator = (await givePasskey(server, account)).authenticator
    await passkeySignIn(server, authenticator)
    await server.context.worker[Symbol.asyncDispose]()
    await server.context.audit.flush()
    server.context.audit.record = () => undefined
  })
  afterAll(() => server.stop())

  it('PK-09 what begins a sign-in makes none', async () => {
    const seen = await trace(() => api(server, 'POST /passkey/options', {}))
    expect([seen.result.status, seen.commands]).toEqual([200, []])
  })

  it('PK-01 a foreign challenge makes none', async () => {
    const { publicKey } = (await api(server, 'POST /passkey/options', {})).body
    const body = { token: 'another', credential: authenticator.assert(publicKey) }
    const seen = await trace(() => api(server, 'POST /sign-in/passkey', body))
    expect([seen.result.status, seen.commands]).toEqual([400, []])
  })

  it('a sign-in takes four round trips, every statement prepared: two for the passkey, two for what any sign-in stores', async () => {
    const { token, publicKey } = (await api(server, 'POST /passkey/options', {})).body
    const body = { token, credential: authenticator.assert(publicKey) }
    const seen = await trace(() => api(server, 'POST /sign-in/passkey', body))
    expect([seen.result.status, seen.depth, seen.unprepared]).toEqual([200, 4, []])
    const [find, use, ...stored] = seen.commands
    const open = stored.pop()
    expect([find, use, open]).toEqual(['passkey-find', 'passkey-use', 'session-open'])
    expect(stored.sort()).toEqual(['artifact_upsert', 'artifact_upsert', 'artifact_upsert_session'])
  })
})
