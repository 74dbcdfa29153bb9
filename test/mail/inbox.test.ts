import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import Koa from 'koa'
import type { Database } from '../../src/database/database.ts'
import { openDatabase } from '../../src/database/database.ts'
import { AppError } from '../../src/errors.ts'
import { devInbox } from '../../src/http/dev/inbox.ts'
import { securityHeaders } from '../../src/http/middleware/security-headers.ts'
import { mailHandler } from '../../src/mail/handler.ts'
import { keepingMailer } from '../../src/mail/mailer.ts'
import { useDatabase } from '../support/database.ts'
import { box, empty, enqueue, Rig } from './outbox-rig.ts'

const ISSUER = 'http://id.localhost'
const at = useDatabase()
const rig = new Rig(() => at.url)
let database: Database
let server: Server
let origin: string

beforeAll(async () => {
  database = await openDatabase({ url: at.url, pool: 3 })
  const app = new Koa()
  app.use(securityHeaders({ isHttps: false }))
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      ctx.status = error instanceof AppError ? error.status : 500
    }
  })
  app.use(devInbox({ database, box, issuer: ISSUER }).routes())
  const handle = app.callback()
  server = createServer((request, response) => void handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await database[Symbol.asyncDispose]()
})
beforeEach(() => empty(database))

interface Item {
  readonly id: string
  readonly subject: string
}
const json = async (): Promise<Item[]> =>
  (
    await fetch(`${origin}/dev/inbox`, { headers: { accept: 'application/json' } })
  ).json() as Promise<Item[]>
const html = (path = '') =>
  fetch(`${origin}/dev/inbox${path}`, { headers: { accept: 'text/html,*/*;q=0.8' } })
const mail = (subject: string) => ({
  to: 'ada@example.org',
  subject,
  text: `text of ${subject}\nhttps://id.example.org/x?token=1&b=2`,
  html: `<html><head></head><body>html of ${subject}</body></html>`,
})

describe('as JSON', () => {
  it('lists all mail, delivered or not, newest first, with exactly the documented members', async () => {
    await enqueue(database, mail('first'))
    await rig
      .worker(database, { mail: mailHandler(keepingMailer()) }, {}, { keepDelivered: true })
      .drain()
    await new Promise((resolve) => setTimeout(resolve, 5))
    await enqueue(database, mail('second'))
    const list = await json()
    expect(list.map(({ subject }) => subject)).toEqual(['second', 'first'])
    expect(list[0]).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ...mail('second'),
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    })
  })

  it('lists 200 at most', async () => {
    await enqueue(database, ...Array.from({ length: 210 }, (_, index) => mail(`mail ${index}`)))
    expect(await json()).toHaveLength(200)
  })

  it('leaves out what the present keys do not open', async () => {
    await enqueue(database, mail('lost'), mail('good'))
    await database.pool.query(
      `update "outbox_message" set "body_box" = '\\x0102' where "id" = $1`,
      [(await json()).find(({ subject }) => subject === 'lost')?.id],
    )
    expect((await json()).map(({ subject }) => subject)).toEqual(['good'])
  })

  it('DELETE empties it', async () => {
    await enqueue(database, mail('gone'))
    expect(
      (await fetch(`${origin}/dev/inbox`, { method: 'DELETE', headers: { origin: ISSUER } }))
        .status,
    ).toBe(204)
    expect(await json()).toEqual([])
  })
})

describe('as pages', () => {
  it('lists mail with links to it, and says so when there is none', async () => {
    expect(await (await html()).text()).toContain('No mail yet')
    await enqueue(database, mail('hello'))
    const [item] = await json()
    const page = await html()
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(await page.text()).toContain(`href="/dev/inbox/${item?.id}"`)
  })

  it('WB-03 escapes everything in a mail outside the frame', async () => {
    const evil = '"><script>alert(1)</script>'
    await enqueue(database, {
      to: evil,
      subject: evil,
      text: `${evil} https://id.example.org/"onmouseover=x`,
      html: evil,
    })
    const [item] = await json()
    for (const path of ['', `/${item?.id}`]) {
      const text = await (await html(path)).text()
      // One script, the pages' own, which copies codes.
      expect(text.match(/<script[^>]*>/g)).toEqual([
        expect.stringMatching(/^<script src="\/assets\/gatehouse\.[\w-]+\.js" defer>$/),
      ])
      expect(text).toContain('&lt;script&gt;')
      expect(text).not.toMatch(/<a[^>]*onmouseover/)
    }
  })

  it('filters by address, as a page and as JSON', async () => {
    await enqueue(
      database,
      { ...mail('one'), to: 'ada@example.org' },
      { ...mail('two'), to: 'grace@example.net' },
    )
    const page = await (await html('?to=GRACE%40')).text()
    expect([page.includes('two'), page.includes('>one<')]).toEqual([true, false])
    expect(page).toContain('value="GRACE@"')
    const list = (await (
      await fetch(`${origin}/dev/inbox?to=ada`, { headers: { accept: 'application/json' } })
    ).json()) as Item[]
    expect(list.map(({ subject }) => subject)).toEqual(['one'])
    expect(await (await html('?to=nobody')).text()).toContain('No mail to this address')
  })

  it('offers the code of a mail to be copied, and no other number', async () => {
    await enqueue(
      database,
      { ...mail('code'), text: 'Hello,\n\n    012 345\n\nBest' },
      { ...mail('none'), text: 'Order 123 456 is ready' },
    )
    const page = await (await html()).text()
    expect(page.match(/data-value="(\d+)"/g)).toEqual(['data-value="012345"'])
  })

  it('shows a mail in a frame without scripts or origin, which loads nothing', async () => {
    await enqueue(database, mail('hello'))
    const [item] = await json()
    const page = await html(`/${item?.id}`)
    const text = await page.text()
    expect(text).toContain(`<iframe src="/dev/inbox/${item?.id}/html"`)
    expect(/sandbox="([^"]*)"/.exec(text)?.[1]).toBe('allow-popups allow-popups-to-escape-sandbox')
    expect(text).toContain('<a href="https://id.example.org/x?token=1&amp;b=2">')
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(/script-src ([^;]*)/.exec(policy)?.[1]).toBe("'self'")
    expect(policy).toContain(`style-src 'nonce-${/<style nonce="([^"]+)"/.exec(text)?.[1]}'`)

    const frame = await html(`/${item?.id}/html`)
    expect(await frame.text()).toContain('html of hello')
    expect(frame.headers.get('content-security-policy')).toMatch(
      /^default-src 'none';.*frame-ancestors 'self'; sandbox allow-popups/,
    )
    expect(frame.headers.get('content-security-policy')).not.toMatch(
      /allow-scripts|allow-same-origin/,
    )
    expect(frame.headers.get('x-frame-options')).toBe('SAMEORIGIN')
    expect(frame.headers.get('cache-control')).toBe('no-store')
  })

  it.each([
    '/nope',
    '/00000000-0000-4000-8000-000000000000',
    '/%00',
    "/'%20or%20'1'='1",
    '/nope/html',
  ])('answers 404 for %s', async (path) => {
    expect((await html(path)).status).toBe(404)
  })
})
