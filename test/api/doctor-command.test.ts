import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { startApi } from '../support/api.ts'
import { run } from '../support/commands.ts'
import { createAccount, createClient, type NewClient } from '../support/factories.ts'
import { operator } from '../support/operator.ts'
import { givePasskey } from '../support/passkeys.ts'
import { authorize, basic, post } from '../support/protocol.ts'
import type { TestServer } from '../support/server.ts'

const NO_CHALLENGE = { code_challenge: undefined, code_challenge_method: undefined }
const PLAIN: NewClient = { scopes: ['openid', 'email'] }

let server: TestServer
const shell = operator()
beforeAll(async () => {
  server = await startApi()
})
afterAll(() => server.stop())

describe('doctor accounts', () => {
  it('counts people whose only way in is not offered', async () => {
    const own = await startApi()
    try {
      const doctorFor = (methods: string, ...args: string[]) =>
        run(['doctor', 'accounts', ...args], { ...shell.settings(own), SIGN_IN_METHODS: methods })
      await createAccount(own)
      await givePasskey(own, await createAccount(own))
      const fine = await doctorFor('password,passkey', '--json')
      expect([fine.code, JSON.parse(fine.stdout)]).toEqual([0, { status: 'ok', findings: [] }])
      await createAccount(own, { password: null })
      const told = await doctorFor('passkey')
      expect(told.code).toBe(1)
      expect(told.stdout).toContain('warning: accounts whose only way in is password: 1\n')
      expect(told.stdout).toContain('warning: accounts whose only way in is email-code: 1\n')
    } finally {
      await own.stop()
    }
  })

  it('counts passkeys of another host than the issuer', async () => {
    const own = await startApi()
    try {
      const doctorAt = (ISSUER: string) =>
        run(['doctor', 'accounts'], { ...shell.settings(own), ISSUER })
      await givePasskey(own, await createAccount(own))
      expect((await doctorAt('http://localhost:3000')).code).toBe(0)
      const moved = await doctorAt('http://id.localhost:3000')
      expect([moved.code, moved.stdout]).toEqual([
        1,
        expect.stringContaining('warning: passkeys that were made for localhost: 1\n'),
      ])
      const numeric = await doctorAt('http://127.0.0.1:3000')
      expect(numeric.stdout).toContain('the host of ISSUER is 127.0.0.1')
    } finally {
      await own.stop()
    }
  })
})

async function doctor(id: string, ...args: string[]) {
  await server.context.refusedRequests.flush()
  return shell.run(server, ['doctor', 'client', id, ...args])
}

interface Finding {
  readonly id: string
  readonly level: string
  readonly what: string
  readonly mend: string
}

/** Each finding, with the command that mends it. */
async function findings(id: string) {
  const { stdout } = await doctor(id, '--json')
  const { findings: all } = JSON.parse(stdout) as { findings: Finding[] }
  return Object.fromEntries(all.map(({ id: lack, mend }) => [lack, mend.split('\n')[0]]))
}

const kept = async (id: string) => {
  await server.context.refusedRequests.flush()
  return server.context.refusedRequests.listOf(id, new Date(0))
}

async function keyed() {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256' }] }
  const client = await createClient(server, { ...PLAIN, authMethod: 'private_key_jwt', jwks })
  const present = async (claims: Readonly<Record<string, unknown>>) => {
    const now = Math.floor(Date.now() / 1000)
    const { clientId: id } = client
    const assertion = await new SignJWT({
      iss: id,
      sub: id,
      aud: server.origin,
      jti: randomUUID(),
      iat: now,
      exp: now + 60,
      ...claims,
    })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
      .sign(privateKey)
    return post(server, '/token', {
      grant_type: 'refresh_token',
      refresh_token: 'none',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    })
  }
  return { ...client, present }
}

describe('gatehouse doctor client', () => {
  it('says nothing of an app whose requests are answered', async () => {
    const { clientId } = await createClient(server, PLAIN)
    await authorize(server, clientId, { scope: 'openid email' })
    expect(await doctor(clientId)).toEqual({
      code: 0,
      stdout: 'Plant Diary: nothing was refused since it was last changed.\n',
      stderr: '',
    })
  })

  it('names the switch of each request that was refused or got less, until the client is changed', async () => {
    const client = await createClient(server, PLAIN)
    const { clientId: id } = client
    const token = (form: Readonly<Record<string, string>>, headers = basic(client)) =>
      post(server, '/token', form, headers)
    await authorize(server, id, NO_CHALLENGE)
    await authorize(server, id, { response_mode: 'fragment' })
    await authorize(server, id, { scope: 'openid email groups offline_access' })
    await authorize(server, id, { redirect_uri: 'https://app.example/other' })
    await token({ grant_type: 'client_credentials' })
    await post(server, '/token', { grant_type: 'refresh_token', refresh_token: 'x', client_id: id })
    expect(await findings(id)).toEqual({
      code_challenge: `client update ${id} --pkce or_nonce`,
      response_mode: `client update ${id} --response-mode query form_post fragment`,
      scope: `client update ${id} --scope openid email groups offline_access --groups <those that it may see>`,
      redirect_uri: `client update ${id} --redirect <all that it has, and that one>`,
      grant_type: `client update ${id} --grant authorization_code refresh_token client_credentials`,
      auth_method: 'in the app: no switch lets that through',
    })
    const { code, stdout } = await doctor(id)
    expect(code).toBe(1)
    expect(stdout).toContain(
      'the redirect_uri that was sent is not registered: https://app.example/other',
    )
    expect(stdout).toContain('Anybody can send a request in the name of an app')
    await server.context.clients.update(id, { pkce: 'or_nonce' })
    expect((await doctor(id)).code).toBe(0)
  })

  it('offers no switch that would be refused', async () => {
    const open = await createClient(server, { ...PLAIN, secret: null })
    await post(server, '/token', { grant_type: 'client_credentials', client_id: open.clientId })
    await post(
      server,
      '/token',
      { grant_type: 'refresh_token', refresh_token: 'x' },
      basic({ ...open, clientSecret: 'guessed' }),
    )
    const all = Object.values(await findings(open.clientId))
    expect(all.length).toBeGreaterThan(0)
    expect(new Set(all)).toEqual(new Set(['in the app: no switch lets that through']))
  })

  it('names what the assertions of a library need', async () => {
    const { clientId: id, present } = await keyed()
    const now = Math.floor(Date.now() / 1000)
    await present({ aud: `${server.origin}/token` })
    await present({ exp: now + 3600, iat: now })
    expect(await findings(id)).toEqual({
      assertion_audience: `client update ${id} --assertion-audience token-endpoint`,
      assertion_seconds: `client update ${id} --assertion-seconds 3600`,
    })
    const other = await keyed()
    await other.present({ aud: 'https://elsewhere.example/' })
    await other.present({ exp: now + 90_000, iat: now })
    expect(Object.values(await findings(other.clientId))).toEqual([
      'in the app: no switch lets that through',
      'in the app: no switch lets that through',
    ])
  })

  it('has one finding for an app that is shut out, and none for one that is not there', async () => {
    const { clientId: id } = await createClient(server, PLAIN)
    await server.context.clients.disable(id)
    const { code, stdout } = await doctor(id, '--json')
    expect([code, JSON.parse(stdout)]).toEqual([
      2,
      {
        client: id,
        status: 'errors',
        findings: [
          {
            id: 'disabled',
            level: 'error',
            what: 'the client is disabled',
            why: 'nobody signs in to it',
            mend: `client enable ${id}`,
            docs: 'docs/operations.md#clients',
          },
        ],
      },
    ])
    expect((await doctor('nobody')).stderr).toMatch(/^There is no client of that id/)
  })
})

describe('what is kept of refused requests', () => {
  it('is one row for each switch, however many come, and nothing a terminal or a shell would run', async () => {
    const { clientId: id } = await createClient(server, PLAIN)
    const uris = Array.from({ length: 50 }, (_, n) => `https://evil.example/\u001b[2J${n}`)
    await Promise.all(uris.map((uri) => authorize(server, id, { redirect_uri: uri })))
    await authorize(server, id, { scope: 'openid $(reboot) `reboot` groups' })
    const rows = await kept(id)
    expect(rows.map(({ refused }) => refused)).toEqual([
      { lack: 'scope', scopes: ['groups'] },
      {
        lack: 'redirect_uri',
        redirectUri: expect.stringMatching(/^https:\/\/evil\.example\/[!-~]+$/),
      },
    ])
  })

  it('is nothing of requests with another address but that address, and nothing of unknown apps', async () => {
    const { clientId: id } = await createClient(server, PLAIN)
    const elsewhere = { redirect_uri: 'https://evil.example/' }
    await authorize(server, id, { ...NO_CHALLENGE, ...elsewhere, scope: 'openid groups' })
    expect((await kept(id)).map(({ refused }) => refused.lack)).toEqual(['redirect_uri'])
    await authorize(server, 'nobody', elsewhere)
    expect(await kept('nobody')).toEqual([])
  })

  it('goes with the client, and after thirty days', async () => {
    const { clientId: id } = await createClient(server, PLAIN)
    await authorize(server, id, NO_CHALLENGE)
    expect(await kept(id)).toHaveLength(1)
    await server.context.clients.delete(id)
    expect(await kept(id)).toEqual([])
  })
})
