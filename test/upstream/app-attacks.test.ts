import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { anyAddress, api } from '../support/api.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount, createClient } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { keptLog } from '../support/kept-log.ts'
import { ApiApp } from '../support/upstream/api-app.ts'
import { browse, FROM_ELSEWHERE, honestBefore } from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { changeProvider, createIdentity, createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

describe('attacks on an app whose people come by a provider', () => {
  const log = keptLog()
  const { logger } = log
  const server = useServer({ outgoing: TO_LOOPBACK, config: { trustedProxyHops: 1 }, logger })
  const op = HostileOp.use()
  honestBefore(op)
  let app: ApiApp

  beforeAll(async () => {
    for (const id of ['acme', 'other']) await createProvider(server, { id, issuer: op.issuer })
    app = await ApiApp.register(server)
  })
  beforeEach(async () => {
    const { id } = await createAccount(server)
    await createIdentity(server, id, op)
  })

  const code = (by = app) => by.code(op)
  const refusals = (answers: readonly { status: number; body: { error?: string } }[]) =>
    answers.map(({ status, body }) => [status, body.error])

  it('UP-13 a code is good once', async () => {
    const value = await code()
    expect(refusals([await app.redeem(value), await app.redeem(value)])).toEqual([
      [200, undefined],
      [400, 'invalid_code'],
    ])
  })

  it('UP-13 of fifty that redeem one code at once one is signed in', async () => {
    const value = await code()
    const answers = await Promise.all(Array.from({ length: 50 }, () => app.redeem(value)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ body }) => body.error === 'invalid_code')).toHaveLength(49)
  })

  it('UP-13 a verifier of another app, or of another try, spends the code and opens nothing', async () => {
    const value = await code()
    const stolen = await app.redeem(value, (await ApiApp.register(server)).verifier)
    expect(refusals([stolen, await app.redeem(value)])).toEqual([
      [400, 'invalid_code'],
      [400, 'invalid_code'],
    ])
  })

  it('EN-01 unknown, spent, another’s and one with a wrong secret are refused by the same bytes', async () => {
    const [spent, others, wrong] = [await code(), await code(), await code()]
    await app.redeem(spent)
    const unknown =
      '6b1e6a55-0d5c-4f0b-8a43-2b8f4f6f2c10.u5mZ3Tq9Xv1cRk7yLw0bNs8dHf2jPg4aEo6iUtYrQxM'
    const answers = [
      await app.redeem(unknown),
      await app.redeem(spent),
      await app.redeem(others, 'x'.repeat(43)),
      await app.redeem(`${wrong.slice(0, -1)}${wrong.endsWith('A') ? 'E' : 'A'}`),
      await app.redeem('nothing like a code'),
    ]
    const shown = answers.map(({ status, body: { request_id: _its, ...rest } }) => [status, rest])
    for (const each of shown) expect(each).toEqual(shown[0])
  })

  it.each([
    ['of another app', { redirect_uri: 'https://client.example/callback' }, 'redirect_uri'],
    [
      'with more behind it',
      { redirect_uri: 'https://plants.example.org/signed-in/x' },
      'redirect_uri',
    ],
    ['with a query', { redirect_uri: 'https://plants.example.org/signed-in?x=1' }, 'redirect_uri'],
    ['of no app', { client_id: 'nobody' }, 'client_id'],
    ['of this server itself', { client_id: 'gatehouse-api' }, 'client_id'],
    ['with a plain challenge', { code_challenge: 'short' }, 'code_challenge'],
    ['without a challenge', { code_challenge: undefined }, 'code_challenge'],
  ])('no ticket for an address %s', async (_name, body, field) => {
    const { status, body: answer } = await app.begin(body)
    expect([status, answer.error, Object.keys(answer.fields)]).toEqual([
      400,
      'invalid_input',
      [field],
    ])
  })

  it('no ticket for an app that does not call the account API, and none that it has had stays good', async () => {
    const { clientId } = await createClient(server)
    expect((await app.begin({ client_id: clientId })).body.fields).toEqual({
      client_id: 'invalid_format',
    })
    const late = await ApiApp.register(server)
    const url = await late.url()
    const value = await code(late)
    await server.context.clients.disable(late.clientId)
    await eventually(async () => (await late.begin()).status, 400)
    expect((await browse(server).visit(url, FROM_ELSEWHERE)).status).toBe(400)
    expect(refusals([await late.redeem(value)])).toEqual([[403, 'method_not_offered']])
  })

  it('a provider that the app does not offer is none for it', async () => {
    const choosy = await ApiApp.register(server, { providers: ['other'] })
    expect((await choosy.begin()).status).toBe(404)
    expect((await choosy.begin({}, 'other')).status).toBe(200)
  })

  it('a ticket is good for its own provider, whole, and for ten minutes', async () => {
    const url = await app.url()
    const visit = async (address: string) =>
      (await browse(server).visit(address, FROM_ELSEWHERE)).status
    expect(await visit(url.replace('/upstream/acme/', '/upstream/other/'))).toBe(400)
    expect(await visit(`${url.slice(0, -2)}${url.endsWith('AA') ? 'BB' : 'AA'}`)).toBe(400)
    expect(await visit(`${server.origin}/upstream/acme/app/AAAA`)).toBe(400)
    const { tickets } = server.context
    const sealed = url.split('/').at(-1) ?? ''
    expect(tickets.open(sealed)).toMatchObject({ clientId: app.clientId })
    const now = Date.now
    try {
      Date.now = () => now() + 601_000
      expect(tickets.open(sealed)).toBe(undefined)
      expect(tickets.open(sealed, { isBack: true })).toBeDefined()
    } finally {
      Date.now = now
    }
  })

  it('UP-03 UP-07 an answer of the provider belongs to the browser and the ticket that asked', async () => {
    const attacker = await app.open()
    const back = await op.authorize(attacker.page.url)
    const victim = await app.open()
    const planted = await victim.copy().visit(back, FROM_ELSEWHERE)
    expect(planted.isForeign).toBe(false)
    const hop = await attacker.copy().visit(back, FROM_ELSEWHERE)
    expect(hop.url.searchParams.has('code')).toBe(true)

    const another = await app.open()
    const answer = await send(await op.authorize(another.page.url), {
      headers: {
        cookie: another.jar.header(new URL(server.origin)) ?? '',
        'x-forwarded-for': anyAddress(),
      },
    })
    const arrival = answer.headers.get('location') ?? ''
    expect(arrival).toContain('/arrival?of=')
    expect((await victim.copy().visit(arrival, FROM_ELSEWHERE)).isForeign).toBe(false)
    const other = await app.url('other')
    const mixed = `${new URL(other).pathname}/arrival${new URL(arrival, server.origin).search}`
    expect((await another.copy().visit(mixed, FROM_ELSEWHERE)).isForeign).toBe(false)
    expect((await another.visit(arrival, FROM_ELSEWHERE)).url.searchParams.has('code')).toBe(true)
  })

  it('of twenty that come back with one arrival one gets a code', async () => {
    const browser = await app.open()
    const answer = await send(await op.authorize(browser.page.url), {
      headers: {
        cookie: browser.jar.header(new URL(server.origin)) ?? '',
        'x-forwarded-for': anyAddress(),
      },
    })
    const arrival = answer.headers.get('location') ?? ''
    const pages = await Promise.all(
      Array.from({ length: 20 }, () => browser.copy().visit(arrival, FROM_ELSEWHERE)),
    )
    expect(pages.filter(({ url }) => url.searchParams.has('code'))).toHaveLength(1)
  })

  it('UP-05 a provider that is disabled lets nobody through, not with a code either', async () => {
    const value = await code()
    const browser = await app.open()
    const back = await op.authorize(browser.page.url)
    await changeProvider(server, 'acme', { disabledAt: new Date() })
    try {
      const page = await browser.visit(back, FROM_ELSEWHERE)
      expect(page.url.searchParams.get('error')).toBe('access_denied')
      expect(refusals([await app.redeem(value)])).toEqual([[403, 'method_not_offered']])
    } finally {
      await changeProvider(server, 'acme', { disabledAt: null })
    }
  })

  it('an identity that was disconnected or suspended, or an account that was closed, opens nothing by a code', async () => {
    const change = (text: string) => server.context.database.pool.query(text, [op.person['sub']])
    const [suspended, gone] = [await code(), await code()]
    await change('update identity set suspended_at = now() where subject = $1')
    expect(refusals([await app.redeem(suspended)])).toEqual([[401, 'invalid_credentials']])
    await change('delete from identity where subject = $1')
    expect(refusals([await app.redeem(gone)])).toEqual([[400, 'invalid_code']])
  })

  it('a code is none of the hosted pages, and an arrival of theirs is no code', async () => {
    const [id = ''] = (await code()).split('.')
    const browser = browse(server)
    await browser.visit('/account')
    const step = browser.page.url.pathname.replace(/\/login$/, '')
    expect((await browser.visit(`${step}/arrive?of=${id}`)).url.pathname).not.toBe('/account')
    const { rows } = await server.context.database.pool.query<{ id: string }>(
      'select id from upstream_arrival',
    )
    for (const { id: known } of rows)
      expect(refusals([await app.redeem(`${known}.${'A'.repeat(43)}`)])).toEqual([
        [400, 'invalid_code'],
      ])
  })

  it('RL-05 pages of others load none of it into themselves', async () => {
    const url = await app.url()
    for (const headers of [
      { ...FROM_ELSEWHERE, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      { ...FROM_ELSEWHERE, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    ])
      expect((await send(url, { headers })).status).toBe(403)
  })

  it('a person who is signed in at the API begins nothing', async () => {
    const { body } = await app.redeem(await code())
    const { access_token: token } = body
    const wanted = {
      client_id: app.clientId,
      redirect_uri: app.redirectUri,
      code_challenge: 'x'.repeat(43),
    }
    expect((await api(server, 'POST /upstream/acme', wanted, { token })).body.error).toBe(
      'already_signed_in',
    )
  })

  it('TK-13 no code, verifier or token is in a log or in the audit trail', async () => {
    const value = await code()
    const { body } = await app.redeem(value)
    const { rows } = await server.context.database.pool.query(
      'select detail::text from audit_event',
    )
    const all = `${log.text()}${JSON.stringify(rows)}`
    for (const secret of [value, value.split('.')[1] ?? '', app.verifier, body.refresh_token])
      expect(all).not.toContain(secret)
  })
})
