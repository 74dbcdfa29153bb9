import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { buildConfig } from '../../src/config/config.ts'
import { readEnv } from '../../src/config/env.ts'
import { Browser } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { JPEG, PNG, WEBP } from '../support/pictures.ts'
import { TEST_SECRETS } from '../support/secrets.ts'
import { startServer, type TestServer } from '../support/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-brand-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const LOGO = file('logo', PNG)
const SHEET = '.chip { text-transform: uppercase }'

function refusal(settings: Readonly<Record<string, string>>): string {
  try {
    readEnv(settings)
  } catch (error) {
    return (error as Error).message.replace('Invalid configuration:\n', '').trim()
  }
  return ''
}

describe('settings of the brand', () => {
  const svg = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"></svg>'
  const large = Buffer.concat([PNG, Buffer.alloc(128 * 1024)])

  it.each([
    ['BRAND_LOGO', '/nowhere/logo.png', 'cannot be read'],
    ['BRAND_LOGO', folder, 'cannot be read'],
    ['BRAND_LOGO', '/dev/zero', 'cannot be read'],
    ['BRAND_LOGO', file('empty.png', ''), 'is no PNG, JPEG or WebP picture'],
    ['BRAND_LOGO', file('page.png', '<!doctype html><p>no'), 'is no PNG, JPEG or WebP picture'],
    [
      'BRAND_LOGO',
      file('logo.svg', svg),
      'is an SVG, which is a document and not a picture; give it as PNG or WebP',
    ],
    ['BRAND_LOGO', file('large.png', large), 'is 129 kB large, 128 kB are allowed'],
    ['BRAND_ACCENT', 'green', 'must be a colour like #14553f, or two with a comma between them'],
    ['BRAND_ACCENT', '#123', 'must be a colour like #14553f, or two with a comma between them'],
    [
      'BRAND_ACCENT',
      '#ffd400',
      'has a contrast of 1.3:1 with light pages, text needs 4.5:1 (WCAG AA); take a darker colour',
    ],
    [
      'BRAND_ACCENT',
      '#14553f,#14553f',
      'has a contrast of 1.9:1 with dark pages, text needs 4.5:1 (WCAG AA); take a lighter colour',
    ],
    ['BRAND_CSS', '/nowhere/brand.css', 'cannot be read'],
    ['BRAND_CSS', LOGO, 'is no text in UTF-8'],
    ['BRAND_CSS', file('large.css', ' '.repeat(65 * 1024)), 'is 65 kB large, 64 kB are allowed'],
    [
      'BRAND_CSS',
      file('import.css', '@import "https://fonts.example/x.css";'),
      'has an @import, which the policy of the pages blocks; put all into the one file',
    ],
    [
      'BRAND_CSS',
      file('url.css', 'body { background: url( "//cdn.example/x.png" ) }'),
      'names another server, which the policy of the pages blocks; use a data: URL',
    ],
  ])('%s=%s stops the start with a sentence: %s', (name, value, sentence) => {
    expect(refusal({ [name]: value })).toBe(`${name}: ${sentence}`)
  })

  it.each([
    ['PNG', PNG],
    ['JPEG', JPEG],
    ['WebP', WEBP],
  ])('takes a %s by its first bytes, whatever its name', (_, content) => {
    expect(readEnv({ BRAND_LOGO: file('picture.txt', content) }).BRAND_LOGO?.content).toEqual(
      content,
    )
  })

  it('takes a sheet with comments about imports and pictures in data: URLs', () => {
    const css = `/* no @import */ body { background: url("data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>") }`
    expect(readEnv({ BRAND_CSS: file('good.css', css) }).BRAND_CSS).toBe(css)
  })
})

describe('a server with a brand', () => {
  let server: TestServer
  beforeAll(async () => {
    const env = readEnv({
      BRAND_NAME: 'Harbour & Sons',
      BRAND_LOGO: LOGO,
      BRAND_ACCENT: '#7B1FA2',
      BRAND_CSS: file('brand.css', SHEET),
    })
    const { brand } = buildConfig(env, {
      databaseUrl: 'postgres://unused',
      embedded: false,
      secrets: TEST_SECRETS,
    })
    server = await startServer({ config: { brand } })
  })
  afterAll(() => server.stop())

  it('shows its logo, named by its alternative text, and loads its colours and sheet from here', async () => {
    const { text } = await new Browser(server.origin).visit('/forgot-password')
    const [, path = ''] =
      /<img class="logo" src="([^"]+)" alt="Harbour &amp; Sons">/.exec(text) ?? []
    const logo = await send(server.origin + path)
    expect([logo.status, logo.headers.get('content-type')]).toEqual([200, 'image/png'])
    expect(logo.headers.get('cache-control')).toContain('immutable')
    expect(Buffer.from(await logo.arrayBuffer())).toEqual(PNG)

    const sheets = await Promise.all(
      [...text.matchAll(/rel="stylesheet" href="(\/assets\/[^"]+)"/g)].map(async ([, href]) => {
        const answer = await send(`${server.origin}${href}`)
        expect(answer.headers.get('content-type')).toBe('text/css; charset=utf-8')
        return answer.text()
      }),
    )
    expect(sheets).toHaveLength(3)
    expect(sheets[1]).toContain('--accent:#7b1fa2')
    expect(sheets[2]).toBe(SHEET)
  })

  it('WB-01 needs no wider policy for it', async () => {
    const { response } = await new Browser(server.origin).visit('/forgot-password')
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("style-src 'self';")
    expect(policy).toContain("img-src 'self' data:;")
  })

  it('sends mails in its colour, in its name', async () => {
    const { email } = await createAccount(server)
    const browser = new Browser(server.origin)
    await browser.visit('/forgot-password')
    await browser.submit('/forgot-password', { email })
    const { html } = await server.inbox.next(email)
    expect(html).toContain('background-color:#7b1fa2')
    expect(html).toContain('Harbour &amp; Sons')
    expect(html).not.toContain('<img')
  })
})
