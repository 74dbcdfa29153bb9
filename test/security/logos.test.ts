import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { ClientInput } from '../../src/clients/clients.ts'
import { sentencesOf } from '../../src/clients/reasons.ts'
import { AppError } from '../../src/errors.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount, REDIRECT_URI } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { storeOddClient } from '../support/odd-clients.ts'
import { JPEG, PictureSite, PNG, WEBP } from '../support/pictures.ts'
import { authorizationUrl, signIn } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
/** Pictures are told apart by their bytes; what follows the last chunk is of no matter. */
const unlike = (picture: Buffer, text: string) => Buffer.concat([picture, Buffer.from(text)])

let site: PictureSite
let server: TestServer

beforeAll(async () => {
  site = await PictureSite.open()
  server = await startServer({ outgoing: site.outgoing })
})
afterAll(async () => {
  await server.stop()
  await site[Symbol.asyncDispose]()
})

const input = (logoUri: string): ClientInput => ({
  name: 'Plant Diary',
  redirectUris: [REDIRECT_URI],
  logoUri,
})
const create = (logoUri: string) => server.context.clients.create(input(logoUri))
const sql = async (text: string, values: unknown[] = []) =>
  (await server.context.database.pool.query(text, values)).rows
const count = async (table: 'client' | 'picture') =>
  Number((await sql(`select count(*) from "${table}"`))[0].count)
const logo = (digest: string, headers: Record<string, string> = {}) =>
  send(`${server.origin}/logos/${digest}`, { headers })

async function reasonOf(work: Promise<unknown>): Promise<string | undefined> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof AppError)) throw new Error('not refused', { cause: error })
  const reasons = sentencesOf(error)
  expect([error.code, Object.keys(reasons)]).toEqual(['invalid_input', ['logoUri']])
  return reasons['logoUri']
}

describe('the logo of a client', () => {
  it.each([
    ['PNG', PNG, 'image/png'],
    ['JPEG', JPEG, 'image/jpeg'],
    ['WebP', WEBP, 'image/webp'],
  ])('CL-03 is a copy of ours, found by its digest for ever: %s', async (name, bytes, type) => {
    const said = { 'content-type': 'text/html' }
    const url = site.put(`/${name}`, (_request, response) =>
      response.writeHead(200, said).end(bytes),
    )
    await create(url)
    expect(site.asked.filter((path) => path === `/${name}`)).toHaveLength(1)
    const response = await logo(digestOf(bytes))
    expect([response.status, Buffer.from(await response.arrayBuffer())]).toEqual([200, bytes])
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': type,
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
    })
    const etag = response.headers.get('etag') ?? ''
    expect((await logo(digestOf(bytes), { 'if-none-match': etag })).status).toBe(304)
  })

  it('CL-03 UX-30 is drawn at sign-in, on the consent page and under connected apps, and fetched at none of them', async () => {
    const bytes = unlike(PNG, 'drawn')
    const { client } = await create(site.put('/drawn', bytes))
    const asked = site.asked.length
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    const tile = `<span class="tile"><img src="/logos/${digestOf(bytes)}" alt="" width="40" height="40"></span>`
    const login = await browser.visit(authorizationUrl(server, client.id))
    const consent = await signIn(browser, account.email)
    expect(consent.step).toBe('consent')
    await browser.submit('/consent', {}, { button: 'allow' })
    const apps = await browser.visit('/account/apps')
    for (const page of [login, consent, apps]) {
      expect(page.text).toContain(tile)
      expect(page.text).not.toContain('pictures.example')
      expect(page.response.headers.get('content-security-policy')).toContain("img-src 'self' data:")
    }
    expect(site.asked.length).toBe(asked)
  })

  it.each<[string, string | (() => string), RegExp]>([
    [
      'a redirect to loopback',
      () =>
        site.put('/to-loopback', (_request, response) =>
          response.writeHead(302, { location: site.url('/secret') }).end(PNG),
        ),
      /^cannot be fetched: its server answers 302, and no redirect is followed$/,
    ],
    [
      'an SVG that says it is a PNG',
      () =>
        site.put('/svg.png', (_request, response) =>
          response
            .writeHead(200, { 'content-type': 'image/png' })
            .end('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        ),
      /^is no PNG, JPEG or WebP picture$/,
    ],
    ['a page', () => site.put('/page.png', Buffer.from('<!doctype html>')), /^is no PNG/],
    ['nothing', () => site.put('/empty.png', Buffer.alloc(0)), /^is no PNG/],
    ['half a mark', () => site.put('/short.png', PNG.subarray(0, 7)), /^is no PNG/],
    ['a sound in RIFF', () => site.put('/a.webp', Buffer.from('RIFF\0\0\0\0WAVE')), /^is no PNG/],
    ['a GIF', () => site.put('/a.gif', Buffer.from('GIF89a')), /^is no PNG/],
    [
      'a file of 300 kB',
      () => site.put('/large.png', Buffer.concat([PNG, Buffer.alloc(300 * 1024)])),
      /^cannot be fetched: the answer is larger than 256 kB$/,
    ],
    [
      'a body without an end',
      () =>
        site.put('/endless.png', (_request, response) => {
          response.write(PNG)
          const timer = setInterval(() => response.write(Buffer.alloc(16_384)), 1)
          response.on('close', () => clearInterval(timer))
        }),
      /^cannot be fetched: the answer is larger than 256 kB$/,
    ],
    [
      'a body that never comes',
      () => site.put('/slow.png', (_request, response) => void response.write(PNG)),
      /^cannot be fetched: its server does not answer$/,
    ],
    ['nothing there', () => site.url('/none.png'), /^cannot be fetched: its server answers 404$/],
    [
      'a name of a private address',
      'https://inside.example/logo.png',
      /^cannot be fetched: the host is not on the public internet$/,
    ],
  ])(
    'CL-03 CL-04 is refused with the reason, and no client is made: %s',
    async (_what, url, reason) => {
      site.put('/secret', PNG)
      const before = [await count('client'), await count('picture'), site.asked.includes('/secret')]
      expect(await reasonOf(create(typeof url === 'string' ? url : url()))).toMatch(reason)
      expect([
        await count('client'),
        await count('picture'),
        site.asked.includes('/secret'),
      ]).toEqual(before)
    },
  )

  it('CL-03 may have exactly 256 kB', async () => {
    const bytes = Buffer.concat([PNG, Buffer.alloc(256 * 1024 - PNG.length)])
    await create(site.put('/largest.png', bytes))
    expect((await (await logo(digestOf(bytes))).arrayBuffer()).byteLength).toBe(256 * 1024)
  })

  it('CL-03 WB-02 runs nothing, though it holds a page', async () => {
    const bytes = unlike(PNG, '<html><script>alert(document.domain)</script></html>')
    await create(site.put('/polyglot.html', bytes))
    const { headers } = await logo(digestOf(bytes), { accept: 'text/html' })
    expect(headers.get('content-type')).toBe('image/png')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox$/)
  })

  it.each([
    'a',
    'A'.repeat(64),
    '0'.repeat(64),
    `${'0'.repeat(64)}.png`,
    `${'0'.repeat(63)}%00`,
    '%2e%2e%2fpackage.json',
    "'%20or%20'1'='1",
    '0'.repeat(5000),
    '',
    '%E0%A4%A',
  ])('IN-05 is not found at /logos/%s', async (digest) => {
    const { status, headers } = await logo(digest)
    expect([400, 404]).toContain(status)
    expect(headers.get('cache-control') ?? '').not.toContain('immutable')
  })

  it('is stored once when twenty clients with the same picture are made at once', async () => {
    const bytes = unlike(JPEG, 'twenty')
    const url = site.put('/twenty.jpg', bytes)
    const before = [await count('client'), await count('picture')]
    const made = await Promise.all(Array.from({ length: 20 }, () => create(url)))
    expect(new Set(made.map(({ client }) => client.id)).size).toBe(20)
    expect([await count('client'), await count('picture')]).toEqual([
      Number(before[0]) + 20,
      Number(before[1]) + 1,
    ])
  })
})

describe('the logo of a client that is changed', () => {
  it('CL-03 is fetched again only when its address is another, and stays when that is refused', async () => {
    const { clients } = server.context
    const [first, second] = [unlike(PNG, 'first'), unlike(PNG, 'second')]
    const { client } = await create(site.put('/first.png', first))
    const drawn = async () => (await clients.get(client.id)).client.logo?.digest
    await clients.update(client.id, { name: 'Garden', logoUri: site.url('/first.png') })
    expect(site.asked.filter((path) => path === '/first.png')).toHaveLength(1)
    expect(
      await reasonOf(clients.update(client.id, { logoUri: site.url('/nowhere.png') })),
    ).toMatch(/answers 404$/)
    expect(await drawn()).toBe(digestOf(first))
    await clients.update(client.id, { logoUri: site.put('/second.png', second) })
    expect(await drawn()).toBe(digestOf(second))
    await clients.update(client.id, { logoUri: null })
    expect(await drawn()).toBeUndefined()
  })
})

describe('logos of clients from before', () => {
  const withLogo = (logoUri: string) =>
    storeOddClient(server, 'its logo is not public', { metadata: { logo_uri: logoUri } })
  const digestOfClient = async (id: string) =>
    (await sql('select logo_digest from client where id = $1', [id]))[0].logo_digest
  const WAITING = `topic = 'client_logo' and failed_at is null and delivered_at is null`
  const waiting = async () =>
    Number((await sql(`select count(*) from outbox_message where ${WAITING}`))[0].count)

  it('CL-03 are fetched once, by whichever instance queued them first', async () => {
    const bytes = unlike(WEBP, 'before')
    const { clientId } = await withLogo(site.put('/before.webp', bytes))
    const { logos, worker } = server.context
    // Whoever reads the client now knows it without a picture.
    const before = await new Browser(server.origin).visit(authorizationUrl(server, clientId))
    expect(before.text).not.toContain('/logos/')
    const queued = await Promise.all(Array.from({ length: 10 }, () => logos.queueMissing()))
    expect(queued.toSorted((a, b) => b - a)).toEqual([1, ...Array.from({ length: 9 }, () => 0)])
    await worker.drain()
    await eventually(() => digestOfClient(clientId), digestOf(bytes))
    expect(site.asked.filter((path) => path === '/before.webp')).toHaveLength(1)
    expect(await logos.queueMissing()).toBe(0)
    await eventually(async () => {
      const after = await new Browser(server.origin).visit(authorizationUrl(server, clientId))
      return after.text.includes(`/logos/${digestOf(bytes)}`)
    }, true)
  })

  it('CL-03 are given up for good, at once or after some tries, and the tile shows initials', async () => {
    let tries = 0
    const failing = site.put('/failing.png', (_request, response) => {
      tries += 1
      response.writeHead(500).end()
    })
    const clients = [
      await withLogo(site.put('/old.svg', Buffer.from('<svg/>'))),
      await withLogo('https://10.0.0.1/logo.png'),
      await withLogo(failing),
    ]
    const { logos, worker } = server.context
    expect(await logos.queueMissing()).toBe(3)
    await eventually(async () => {
      await sql(`update outbox_message set available_at = now() where ${WAITING}`)
      await worker.drain()
      return waiting()
    }, 0)
    expect(
      await sql(
        `select last_error from outbox_message where topic = 'client_logo' and failed_at is not null order by last_error`,
      ),
    ).toEqual([
      { last_error: 'the logo cannot be fetched: its server answers 500' },
      { last_error: 'the logo cannot be fetched: the host is not on the public internet' },
      { last_error: 'the logo is no PNG, JPEG or WebP picture' },
    ])
    expect(tries).toBe(5)
    expect(await logos.queueMissing()).toBe(0)
    for (const { clientId } of clients) {
      expect(await digestOfClient(clientId)).toBeNull()
      const page = await new Browser(server.origin).visit(authorizationUrl(server, clientId))
      expect(page.text).toContain('<span class="tile" aria-hidden="true">P</span>')
    }
    await sql(`delete from outbox_message where topic = 'client_logo'`)
  })

  it('CL-03 leave alone a client whose logo was changed or taken away meanwhile', async () => {
    const { clientId } = await withLogo(site.put('/meanwhile.png', PNG))
    expect(await server.context.logos.queueMissing()).toBe(1)
    await sql(`update client set metadata = metadata - 'logo_uri' where id = $1`, [clientId])
    await server.context.worker.drain()
    await eventually(waiting, 0)
    expect(await digestOfClient(clientId)).toBeNull()
  })
})

describe('retention', () => {
  it('LG-07 CL-03 takes no picture from a client that is made at the same moment', async () => {
    const bytes = unlike(PNG, 'at the same moment')
    const url = site.put('/same-moment.png', bytes)
    for (let round = 0; round < 10; round += 1) {
      const { client } = await create(url)
      await sql('update client set logo_digest = null where id = $1', [client.id])
      await sql(`update picture set used_at = now() - interval '25 hours'`)
      const four = <T>(work: () => Promise<T>) => Promise.all(Array.from({ length: 4 }, work))
      const [made] = await Promise.all([
        four(() => create(url)),
        four(() => server.context.jobs.runOnce()),
      ])
      const ids = made.map((each) => each.client.id)
      expect(
        await sql('select distinct logo_digest from client where id = any($1)', [ids]),
      ).toEqual([{ logo_digest: digestOf(bytes) }])
      await sql('delete from client where id = any($1)', [ids])
    }
  })

  it('LG-07 removes the pictures of no client a day after their last use, and no other', async () => {
    const [kept, orphan, young] = ['kept', 'orphan', 'young'].map((each) => unlike(PNG, each))
    for (const [name, bytes] of Object.entries({ kept, orphan, young }))
      await create(site.put(`/retained/${name}`, bytes ?? PNG))
    const forget = (bytes = PNG) =>
      sql('update client set logo_digest = null where logo_digest = $1', [digestOf(bytes)])
    await forget(orphan)
    await forget(young)
    await sql(`update picture set used_at = now() - interval '25 hours' where digest = any($1)`, [
      [digestOf(kept ?? PNG), digestOf(orphan ?? PNG)],
    ])
    expect((await server.context.jobs.runOnce())?.['pictures of no app']).toBe(1)
    const statuses = await Promise.all(
      [kept, orphan, young].map(async (bytes) => (await logo(digestOf(bytes ?? PNG))).status),
    )
    expect(statuses).toEqual([200, 404, 200])
  })
})
