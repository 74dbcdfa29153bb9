import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { createClient, type NewClient, REDIRECT_URI } from '../support/factories.ts'
import { keptLog } from '../support/kept-log.ts'
import { storeOddClient } from '../support/odd-clients.ts'
import { authorize, type SignedInApp, signedInApp, VERIFIER } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

const log = keptLog()
let server: TestServer
const apps: Record<string, SignedInApp> = {}

beforeAll(async () => {
  server = await startServer({ logger: log.logger })
  for (const pkce of ['required', 'or_nonce', 'optional'] as const)
    apps[pkce] = await signedInApp(server, { pkce })
})
afterAll(() => server.stop())

const NO_CHALLENGE = { code_challenge: undefined, code_challenge_method: undefined }
const NO_NONCE = { nonce: undefined }

function appOf(pkce: string): SignedInApp {
  const app = apps[pkce]
  if (!app) throw new Error(`no app with ${pkce}`)
  return app
}

/** What the app is told at its redirect URI: an error, or that the person has to sign in. */
async function told(clientId: string, change: Parameters<typeof authorize>[2]): Promise<string> {
  const { location } = await authorize(server, clientId, change)
  return location?.searchParams.get('error') ?? (location ? 'goes on' : 'page')
}

describe('AZ-03 a request without a code_challenge', () => {
  it.each([
    ['required', { ...NO_CHALLENGE }, false],
    ['required', { ...NO_CHALLENGE, ...NO_NONCE }, false],
    ['or_nonce', { ...NO_CHALLENGE }, true],
    ['or_nonce', { ...NO_CHALLENGE, ...NO_NONCE }, false],
    ['or_nonce', { ...NO_CHALLENGE, nonce: '' }, false],
    ['or_nonce', { ...NO_CHALLENGE, scope: 'profile' }, false],
    ['or_nonce', { ...NO_CHALLENGE, scope: 'profile email' }, false],
    ['optional', { ...NO_CHALLENGE }, true],
    ['optional', { ...NO_CHALLENGE, ...NO_NONCE }, true],
    ['optional', { ...NO_CHALLENGE, ...NO_NONCE, scope: 'profile' }, true],
    // One that is sent is held to the rules, whatever the switch.
    ['optional', { code_challenge_method: undefined }, false],
    ['optional', { code_challenge: undefined }, false],
    ['optional', { code_challenge: VERIFIER, code_challenge_method: 'plain' }, false],
    ['optional', { code_challenge: 'short' }, false],
  ] as const)('of a client with pkce %s: %j goes on: %s', async (pkce, change, goesOn) => {
    expect(await told(appOf(pkce).client.clientId, change)).toBe(
      goesOn ? 'goes on' : 'invalid_request',
    )
  })

  it('counts no nonce for an app that may not have openid, so never gets an ID token', async () => {
    const { clientId } = await createClient(server, { pkce: 'or_nonce', scopes: ['profile'] })
    const change = { ...NO_CHALLENGE, scope: 'openid profile' }
    expect(await told(clientId, change)).toBe('invalid_request')
  })

  it('is refused at http and at schemes of an app, whatever the switch', async () => {
    const redirectUris = [REDIRECT_URI, 'http://localhost:8080/callback']
    const { clientId } = await createClient(server, { pkce: 'optional', redirectUris })
    const local = { redirect_uri: 'http://localhost:8080/callback' }
    expect(await told(clientId, { ...NO_CHALLENGE })).toBe('goes on')
    expect(await told(clientId, { ...NO_CHALLENGE, ...local })).toBe('invalid_request')
    expect(await told(clientId, local)).toBe('goes on')
  })

  it('is refused of a public client, and of a value that nobody knows, however stored', async () => {
    const why = 'it has metadata that no registration makes'
    for (const pkce of ['optional', 'or_nonce', 'no', false, null]) {
      const odd = await storeOddClient(server, why, { secret: null, metadata: { pkce } })
      expect([pkce, await told(odd.clientId, NO_CHALLENGE)]).toEqual([pkce, 'invalid_request'])
    }
    for (const pkce of ['no', 'none', false, null, ['optional']]) {
      const odd = await storeOddClient(server, why, { metadata: { pkce } })
      const answer = await told(odd.clientId, NO_CHALLENGE)
      expect([pkce, answer === 'goes on']).toEqual([pkce, false])
    }
  })
})

describe('TK-02 a code', () => {
  const noVerifier = { code_verifier: undefined }

  it.each(['or_nonce', 'optional'])('without challenge is redeemed of pkce %s', async (pkce) => {
    const app = appOf(pkce)
    const code = await app.code(NO_CHALLENGE)
    const { status, body } = await app.redeem(code, noVerifier)
    expect([status, typeof body.id_token]).toEqual([200, 'string'])
    // And once only.
    expect((await app.redeem(code, noVerifier)).body.error).toBe('invalid_grant')
  })

  it.each(['or_nonce', 'optional'])('with a challenge must be proven: pkce %s', async (pkce) => {
    const app = appOf(pkce)
    for (const verifier of [undefined, '', 'another-verifier-of-these-tests-43-characters']) {
      const { status, body } = await app.redeem(await app.code(), { code_verifier: verifier })
      expect([verifier, status, body.error]).toEqual([verifier, 400, 'invalid_grant'])
    }
    expect((await app.redeem(await app.code())).status).toBe(200)
  })

  it.each(['or_nonce', 'optional'])(
    'whose challenge was taken out on the way is refused with the verifier: pkce %s',
    async (pkce) => {
      const app = appOf(pkce)
      const { status, body } = await app.redeem(await app.code(NO_CHALLENGE))
      expect([status, body.error]).toEqual([400, 'invalid_grant'])
      expect(body.error_description).toMatch(/had no code_challenge$/)
    },
  )
})

describe('a switch that is turned back', () => {
  it('counts for codes that are under way: they give nothing, and are not spent', async () => {
    const app = await signedInApp(server, { pkce: 'optional' })
    const { clientId } = app.client
    const code = await app.code(NO_CHALLENGE)
    const tied = await app.code()
    const turn = async (pkce: 'required' | 'optional') => {
      await server.context.clients.update(clientId, { pkce })
      const seen = () => told(clientId, NO_CHALLENGE)
      await eventually(seen, pkce === 'required' ? 'invalid_request' : 'goes on')
    }
    await turn('required')
    const { status, body } = await app.redeem(code, { code_verifier: undefined })
    expect([status, body.error, body.access_token]).toEqual([400, 'invalid_grant', undefined])
    expect((await app.redeem(tied)).status).toBe(200)
    await turn('optional')
    expect((await app.redeem(code, { code_verifier: undefined })).status).toBe(200)
  })
})

describe('CL-01 registration', () => {
  const refusal = async (input: NewClient & { name?: string }): Promise<unknown> =>
    createClient(server, input).then(
      () => 'registered',
      ({ details }: { details: { fields: unknown } }) => details.fields,
    )
  const native: NewClient = { type: 'native', redirectUris: ['org.example.app:/callback'] }

  it.each<[string, NewClient, unknown]>([
    ['a single-page app', { secret: null, pkce: 'optional' }, { pkce: 'pkce_of_public' }],
    ['a single-page app', { secret: null, pkce: 'or_nonce' }, { pkce: 'pkce_of_public' }],
    ['a native app', { ...native, pkce: 'or_nonce' }, { pkce: 'pkce_of_public' }],
    [
      'an app on loopback only',
      { redirectUris: ['http://localhost:3000/cb'], pkce: 'optional' },
      { pkce: 'pkce_without_https' },
    ],
    [
      'an app whose code goes to the fragment',
      { pkce: 'optional', responseModes: ['query', 'fragment'] },
      { responseModes: 'fragment_without_pkce' },
    ],
    ['an app', { pkce: 'never' as 'optional' }, { pkce: 'not_one_of' }],
    ['an app with a nonce in the fragment', { pkce: 'or_nonce', responseModes: ['fragment'] }, ''],
    ['a native app that keeps the default', { ...native, pkce: 'required' }, ''],
  ])('of %s with %j', async (_what, input, fields) => {
    expect(await refusal(input)).toEqual(fields === '' ? 'registered' : fields)
  })

  it('the mode fragment is no usual one: the operator asks for it', async () => {
    const plain = await createClient(server)
    expect(await told(plain.clientId, { response_mode: 'fragment' })).toBe('goes on')
    const asked = await createClient(server, { responseModes: ['query', 'fragment'] })
    const { location } = await authorize(server, asked.clientId, { response_mode: 'fragment' })
    expect(location?.pathname).toMatch(/^\/interaction\//)
  })
})

describe('LG-01 the log names the switch that a refused app needs', () => {
  const hints = (clientId: string) =>
    log
      .lines('client.hint')
      .filter((line) => line['clientId'] === clientId)
      .map((line) => line['command'] ?? line['reason'])

  it('once an hour for each app and reason, for the command line', async () => {
    const { clientId } = await createClient(server)
    for (let round = 0; round < 3; round++)
      await told(clientId, { ...NO_CHALLENGE, state: `state-${round}` })
    expect(hints(clientId)).toEqual([`client update ${clientId} --pkce or_nonce`])
    await told(clientId, { response_mode: 'fragment' })
    await told(clientId, { response_mode: 'fragment' })
    expect(hints(clientId).slice(1)).toEqual([
      `client update ${clientId} --response-mode query form_post fragment`,
    ])
    const [line] = log.lines('client.hint').filter((each) => each['clientId'] === clientId)
    expect(line).toMatchObject({ level: 40, name: 'Plant Diary' })
  })

  it.each<[string, NewClient, Parameters<typeof authorize>[2], string]>([
    ['no nonce', {}, NO_NONCE, '--pkce optional'],
    ['no nonce where one is taken', { pkce: 'or_nonce' }, NO_NONCE, '--pkce optional'],
  ])('for an app that sends %s', async (_what, input, change, option) => {
    const { clientId } = await createClient(server, input)
    await told(clientId, { ...NO_CHALLENGE, ...change })
    expect(hints(clientId)).toEqual([`client update ${clientId} ${option}`])
  })

  it('and says where no switch helps', async () => {
    const spa = await createClient(server, { secret: null })
    await told(spa.clientId, NO_CHALLENGE)
    expect(hints(spa.clientId)).toEqual([expect.stringMatching(/has no secret/)])
    const local = 'http://localhost:8080/callback'
    const { clientId } = await createClient(server, { redirectUris: [local] })
    await told(clientId, { ...NO_CHALLENGE, redirect_uri: local })
    expect(hints(clientId)).toEqual([expect.stringMatching(/https redirect URIs only/)])
  })

  it('not of requests that anybody could send with another address', async () => {
    const { clientId } = await createClient(server)
    await told(clientId, { ...NO_CHALLENGE, redirect_uri: 'https://evil.example/' })
    await told(clientId, { response_mode: 'fragment', redirect_uri: 'https://evil.example/' })
    expect(hints(clientId)).toEqual([])
  })
})
