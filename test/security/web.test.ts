import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser, type Page } from '../support/browser.ts'
import { chromium } from '../support/chromium.ts'
import { createAccount, createClient, PASSWORD } from '../support/factories.ts'
import { tokensOf } from '../support/html.ts'
import { send } from '../support/http.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { addresses, atLogin, atSignUp, dump, newPerson, submitLogin } from './attacks.ts'

const PAYLOADS = [
  '<script>alert(1)</script>',
  '"><script>alert(1)</script>',
  "'><img src=x onerror=alert(1)>",
  '" autofocus onfocus=alert(1) x="',
  "' onmouseover='alert(1)",
  '</title><svg onload=alert(1)>',
  '</textarea><script>alert(1)</script>',
  '--><script>alert(1)</script>',
  'javascript:alert(1)',
  '<%= it.constructor %>',
  '<%~ "<script>alert(1)</script>" %>',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a payload
  '${alert(1)}{{alert(1)}}',
  '<iframe srcdoc="<script>alert(1)</script>">',
  '<meta http-equiv=refresh content="0;url=//evil.example">',
  '<base href=//evil.example/>',
  '\u2028<script>alert(1)</script>',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '<a href="//evil.example">x</a>',
]
const BAD_TAGS = new Set(['svg', 'iframe', 'base', 'object', 'embed', 'img', 'textarea'])

/** Nothing of a payload has become markup: no handler, no foreign tag, no script but our own. */
function expectInert({ text, url }: Page, payload: string): void {
  // Our own drawings, which no payload looks like.
  const clean = text.replace(/<svg\b[^>]*aria-hidden[\s\S]*?<\/svg>/g, '')
  for (const token of tokensOf(clean)) {
    if (token.kind !== 'open') continue
    const { tag, attributes } = token
    if (tag === 'link' && attributes['rel'] === 'icon') continue
    const faults = Object.entries(attributes).filter(
      ([name, value]) =>
        name.startsWith('on') ||
        (/^(href|src|action|formaction)$/.test(name) &&
          /^\s*(javascript|data|vbscript):/i.test(value)),
    )
    expect({ payload, path: url.pathname, tag, faults }).toEqual({
      payload,
      path: url.pathname,
      tag,
      faults: [],
    })
    const isRefresh = tag === 'meta' && attributes['http-equiv']?.toLowerCase() === 'refresh'
    expect({ payload, tag, isBad: BAD_TAGS.has(tag) || isRefresh }).toEqual({
      payload,
      tag,
      isBad: false,
    })
    if (tag === 'script')
      expect([payload, attributes['src']]).toEqual([payload, expect.stringMatching(/^\/assets\//)])
    if (tag === 'a')
      expect([payload, attributes['href'] ?? '']).toEqual([
        payload,
        expect.not.stringMatching(/^(\/\/|https?:\/\/evil)/),
      ])
  }
}

describe('the web surface', () => {
  let server: TestServer
  const elsewhere = addresses()
  beforeAll(async () => {
    server = await startServer({ config: { trustedProxyHops: 1 } })
  })
  afterAll(() => server.stop())
  const browserFor = () => new Browser(server.origin)

  it('WB-01 WB-02 WB-05 every answer, pages and errors included, carries the headers, and each page a policy with a nonce of its own', async () => {
    const { browser } = await newPerson(server)
    const pages = [
      '/account', '/forgot-password', '/reset-password', '/login', '/signup', '/session/end', '/nothing/here', '/auth', '/auth?client_id=x',
      '/interaction/nope/login', '/reset-password?token=nope', '/verify-email?token=nope', '/undo-email', '/demo', '/dev/inbox', '/locale?lang=en',
      '/jwks', '/.well-known/openid-configuration', '/userinfo', '/token', '/health/live', '/assets/none.css', '/api/auth/user/me', '/api/openapi.json',
    ] // biome-ignore format: a list
    const nonces: string[] = []
    for (const path of pages) {
      const answers = [
        (await browser.copy().visit(path)).response,
        (await browserFor().post(path, {}, { follow: false })).response,
      ]
      for (const { status, headers } of answers) {
        const at = { path, status }
        expect({ ...at, value: headers.get('x-content-type-options') }).toEqual({
          ...at,
          value: 'nosniff',
        })
        expect({ ...at, value: headers.get('referrer-policy') }).toEqual({
          ...at,
          value: 'no-referrer',
        })
        expect({ ...at, value: headers.get('cross-origin-opener-policy') }).toEqual({
          ...at,
          value: 'same-origin',
        })
        expect({ ...at, value: headers.get('cross-origin-resource-policy') }).toEqual({
          ...at,
          value: 'same-origin',
        })
        expect({ ...at, value: headers.get('x-frame-options') }).toEqual({ ...at, value: 'DENY' })
        expect({ ...at, value: headers.get('permissions-policy') }).toEqual({
          ...at,
          value: expect.stringContaining('camera=()'),
        })
        for (const name of ['x-powered-by', 'server', 'x-aspnet-version', 'via'])
          expect({ ...at, name, value: headers.get(name) }).toEqual({ ...at, name, value: null })
        const policy = headers.get('content-security-policy') ?? ''
        expect({ ...at, policy }).toEqual({
          ...at,
          policy: expect.stringContaining("default-src 'none'"),
        })
        expect({ ...at, policy }).toEqual({
          ...at,
          policy: expect.stringContaining("frame-ancestors 'none'"),
        })
        expect(policy).not.toMatch(/unsafe|\*|https?:\/\/(?!localhost)/)
        if (!headers.get('content-type')?.startsWith('text/html')) continue
        for (const directive of ["base-uri 'none'", 'form-action'])
          expect({ ...at, policy }).toEqual({ ...at, policy: expect.stringContaining(directive) })
        const [, nonce] = /'nonce-([\w-]+)'/.exec(policy) ?? []
        if (nonce) nonces.push(nonce)
      }
    }
    expect(nonces.length).toBeGreaterThan(8)
    expect(new Set(nonces).size).toBe(nonces.length)
    for (const nonce of nonces)
      expect(Buffer.from(nonce, 'base64url').length).toBeGreaterThanOrEqual(16)
  })

  it('WB-02 LG-05 an unforeseen error has the same headers and says nothing but a request id', async () => {
    const { passwordReset } = server.context
    const peekLink = passwordReset.peekLink
    passwordReset.peekLink = async () => {
      throw new Error('select "secret" from "account" at 10.1.2.3')
    }
    try {
      const page = await browserFor().visit('/reset-password?token=x')
      expect(page.status).toBe(500)
      expect(page.text).not.toMatch(/select|secret|10\.1\.2\.3|\.ts:|node_modules/)
      expect(page.text).toContain(page.response.headers.get('x-request-id'))
      expect(page.response.headers.get('content-security-policy')).toContain(
        "frame-ancestors 'none'",
      )
    } finally {
      passwordReset.peekLink = peekLink
    }
  })

  it('WB-02 CF-01 https adds HSTS of a year or more with subdomains', async () => {
    await using secure = await startServer({ issuer: 'https://id.example.org' })
    for (const path of ['/login', '/jwks', '/nothing', '/api/auth/user/me', '/health/live']) {
      const { headers } = await send(`https://id.example.org${path}`, { connect: secure.address })
      const [, seconds] =
        /^max-age=(\d+); includeSubDomains/.exec(headers.get('strict-transport-security') ?? '') ??
        []
      expect([path, Number(seconds) >= 31_536_000]).toEqual([path, true])
    }
    expect(
      (await send(`${server.origin}/login`)).headers.get('strict-transport-security'),
    ).toBeNull()
  })

  it('WB-03 no parameter that a page shows again becomes markup', async () => {
    const app = await relyingParty(server, { name: '"><script>alert(1)</script>' })
    for (const payload of PAYLOADS) {
      const browser = new Browser(server.origin, { headers: elsewhere() })
      const see = async (page: Promise<Page>) => expectInert(await page, payload)
      await see(
        browser.visit(
          app.authorizationUrl({
            login_hint: payload,
            state: payload,
            nonce: payload,
            ui_locales: payload,
          }),
        ),
      )
      await see(browser.submit('/login', { username: payload, password: payload }))
      await see(browser.visit(app.authorizationUrl({ prompt: 'create', login_hint: payload })))
      await see(browser.submit('/sign-up', { name: payload, email: payload, password: payload }))
      await see(
        browser.submit('/sign-up', { name: payload, email: 'wb03@example.org', password: payload }),
      )
      const query = encodeURIComponent(payload)
      for (const path of [
        `/forgot-password?email=${query}`,
        `/login?login_hint=${query}&return_to=${query}`,
        `/reset-password?token=${query}`,
        `/verify-email?token=${query}`,
        `/undo-email?token=${query}`,
        `/auth?client_id=${query}&redirect_uri=${query}`,
        `/auth?client_id=${app.clientId}&redirect_uri=${query}&scope=${query}&response_type=${query}`,
        `/session/end?post_logout_redirect_uri=${query}&state=${query}&client_id=${query}&id_token_hint=${query}`,
        `/interaction/${query}/login`,
        `/${query}`,
        `/account/callback?error=${query}&error_description=${query}&state=${query}&code=${query}`,
        `/locale?lang=${query}&return_to=${query}`,
      ])
        await see(browser.visit(path))
      await browser.visit('/forgot-password')
      await see(browser.submit('/forgot-password', { email: payload }))
    }
  })

  it('WB-03 names of accounts and of apps are text wherever they are shown', async () => {
    const account = await createAccount(server, { name: '<img src=x onerror=alert(1)>' })
    const app = await relyingParty(server, { name: '<svg onload=alert(1)>' })
    const browser = browserFor()
    await browser.visit(app.authorizationUrl({ scope: 'openid email' }))
    const consent = await submitLogin(browser, account.email, PASSWORD)
    expect(consent.step).toBe('consent')
    expectInert(consent, 'names')
    expectInert(await browser.visit(app.authorizationUrl({ prompt: 'select_account' })), 'names')
    expectInert(await browser.visit('/account'), 'names')
  })

  it('WB-05 no page names a resource of somebody else', async () => {
    const { browser } = await newPerson(server)
    const app = await relyingParty(server)
    const pages = [
      browser.visit('/account'),
      browserFor().visit('/forgot-password'),
      browserFor().visit('/nothing'),
      browserFor().visit(app.authorizationUrl()),
      browserFor().visit(app.authorizationUrl({ prompt: 'create' })),
    ]
    for (const { text, url } of await Promise.all(pages))
      for (const token of tokensOf(text)) {
        if (token.kind !== 'open') continue
        const { src, href, srcset, rel } = token.attributes
        if (rel === 'icon' && href?.startsWith('data:')) continue
        for (const address of [src, srcset, token.tag === 'link' ? href : undefined])
          if (address !== undefined)
            expect([token.tag, new URL(address, url).origin]).toEqual([token.tag, server.origin])
      }
  })

  it('WB-06 SE-14 fifty ways to be sent elsewhere lead to our own pages', async () => {
    const evil = [
      '//evil.example', '///evil.example', '////evil.example', '/\\evil.example', '\\\\evil.example', '\\/evil.example', 'https://evil.example',
      'https:evil.example', 'https:/evil.example', 'http:evil.example', 'http://evil.example', 'HTTPS://EVIL.EXAMPLE', 'javascript:alert(1)',
      'data:text/html,x', 'vbscript:x', 'ftp://evil.example', '/\t/evil.example', '/\n/evil.example', '/\r/evil.example', '/%09/evil.example',
      '/%0d%0aLocation:%20https://evil.example', '/\r\nLocation: https://evil.example', '/account\r\nSet-Cookie: a=b', '/..//evil.example',
      '/.//evil.example', '/account/..//evil.example', '/account/../..//evil.example', '/%2e%2e//evil.example', '/a/%2e%2e//evil.example', '/;//evil.example',
      '/@evil.example', '@evil.example', 'evil.example', '.evil.example', '?//evil.example', '#//evil.example', '/#@evil.example', '/\u0000/evil.example',
      '/\u2028/evil.example', '/\uff0f/evil.example', '\uff0f\uff0fevil.example', ' //evil.example', '\t//evil.example', '/ /evil.example', '/\u00a0/evil.example',
      'http://localhost:1@evil.example', 'http://localhost.evil.example', '//localhost@evil.example', '/account/%2f%2fevil.example', '/%5cevil.example',
      '/%5c%5cevil.example', '/%2f%2fevil.example', '/account//evil.example/..', '/&//evil.example',
    ] // biome-ignore format: a list
    expect(evil.length).toBeGreaterThanOrEqual(50)
    const { browser } = await newPerson(server)
    for (const target of evil) {
      const query = encodeURIComponent(target)
      for (const path of [
        `/locale?lang=en&return_to=${query}`,
        `/login?return_to=${query}`,
        `/account/callback?state=${query}`,
        `/signup?return_to=${query}`,
      ]) {
        const page = await browser.copy().visit(path, { referer: 'https://evil.example/' })
        expect([path, page.isForeign, page.url.origin]).toEqual([path, false, server.origin])
        const hop = await send(`${server.origin}${path}`)
        const location = hop.headers.get('location') ?? '/'
        expect([path, new URL(location, server.origin).origin]).toEqual([path, server.origin])
        expect(location).not.toMatch(/^[/\\]{2}|[\r\n\t\\]/)
        expect(hop.headers.getSetCookie().filter((line) => line.startsWith('a='))).toEqual([])
      }
    }
  })

  it('WB-10 EM-05 answers for the host of its issuer only; nothing it says names another', async () => {
    const { host } = new URL(server.origin)
    for (const bad of [
      'evil.example',
      'evil.example:80',
      `${host}.evil.example`,
      `evil.example@${host}`,
      `${host}@evil.example`,
      `${host}:80`,
      '127.0.0.1',
      'localhost',
      `${host} evil`,
      `evil.example/${host}`,
    ])
      for (const path of [
        '/login',
        '/auth',
        '/jwks',
        '/.well-known/openid-configuration',
        '/api/auth/user/me',
        '/forgot-password',
        '/token',
        '/demo',
      ]) {
        const answer = await send(`${server.origin}${path}`, { headers: { host: bad } })
        expect([bad, path, answer.status === 421 || answer.status === 400]).toEqual([
          bad,
          path,
          true,
        ])
        expect(await answer.text()).not.toContain('evil.example')
      }
    const forwarded = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example;proto=https',
      'x-original-url': '/evil',
      'x-host': 'evil.example',
    }
    for (const path of [
      '/login',
      '/jwks',
      '/.well-known/openid-configuration',
      '/forgot-password',
      '/nothing',
      '/account',
    ]) {
      const answer = await send(`${server.origin}${path}`, { headers: forwarded })
      expect(`${await answer.text()}${[...answer.headers].join()}`).not.toMatch(
        /evil\.example|https:\/\/localhost/,
      )
    }
    expect(
      (await send(`${server.origin}/login`, { headers: { host: host.toUpperCase() } })).status,
    ).toBe(303)
  })

  it('WB-10 the port of the scheme may be said or not, and no other', async () => {
    await using secure = await startServer({ issuer: 'https://id.example.org' })
    const { host, port } = secure.address
    const status = async (name: string, path: string) =>
      (await send(`http://${host}:${port}${path}`, { headers: { host: name } })).status
    for (const path of ['/jwks', '/forgot-password', '/api/auth/user/me']) {
      const expected = await status('id.example.org', path)
      expect(expected).not.toBe(421)
      expect([
        await status('id.example.org:443', path),
        await status('ID.example.org:443', path),
      ]).toEqual([expected, expected])
      for (const bad of [
        'id.example.org:80',
        'id.example.org:0443',
        'id.example.org:',
        'id.example.org:443:443',
        'x@id.example.org:443',
      ])
        expect([bad, path, await status(bad, path)]).toEqual([bad, path, 421])
    }
  })

  it('WB-09 without a trusted proxy nothing that claims to be one is believed; unparsable entries count as the socket', async () => {
    const { clientAddress } = await import('../../src/http/middleware/client-address.ts')
    const from = (hops: number, header?: string) =>
      clientAddress(
        {
          socket: { remoteAddress: '::ffff:192.0.2.1' },
          headers: header === undefined ? {} : { 'x-forwarded-for': header },
        } as never,
        hops,
      )
    expect(from(0, '10.0.0.1')).toBe('192.0.2.1')
    expect(from(1, '10.0.0.1, 10.0.0.2')).toBe('10.0.0.2')
    expect(from(2, '6.6.6.6, 10.0.0.1, 10.0.0.2')).toBe('10.0.0.1')
    for (const nonsense of [
      undefined,
      '',
      ',',
      'unknown',
      '_hidden',
      '10.0.0.1:',
      '10.0.0.1:port',
      '10.0.0.1:123456',
      '[10.0.0.1',
      '2001:db8::1]:80',
      '0x7f.0.0.1',
      '010.0.0.1',
      '::ffff:0x7f.1',
      '10.0.0.1, ',
      'for=10.0.0.1',
      '<script>',
      '1e3',
      '0x7f.1',
      '10.1',
    ])
      expect([nonsense, from(1, nonsense)]).toEqual([nonsense, '192.0.2.1'])
    expect(from(3, '10.0.0.1')).toBe('192.0.2.1')
    // Some proxies append the port; it is no part of who calls.
    for (const spelling of [
      '10.0.0.1:80',
      '[10.0.0.1]:5678',
      '::ffff:10.0.0.1',
      '[::ffff:a00:1]:1',
      '[::FFFF:10.0.0.1]',
    ])
      expect([spelling, from(1, `6.6.6.6, ${spelling}`)]).toEqual([spelling, '10.0.0.1'])
    for (const spelling of [
      '2001:DB8::1',
      '[2001:db8::1]',
      '[2001:db8:0:0::1]:443',
      '2001:db8::1%eth0',
      '[2001:db8::1%1]:5',
    ])
      expect([spelling, from(1, spelling)]).toEqual([
        spelling,
        '2001:0db8:0000:0000:0000:0000:0000:0001',
      ])
  })

  it('WB-10 WB-11 has no door beside the documented ones', async () => {
    for (const path of [
      '/metrics',
      '/debug',
      '/debug/pprof',
      '/.env',
      '/.git/config',
      '/admin',
      '/setup',
      '/install',
      '/server-status',
      '/actuator',
      '/graphql',
      '/api',
      '/api/auth',
      '/api/auth/admin',
      '/package.json',
      '/src/app.ts',
      '/assets/../package.json',
      '/assets/%2e%2e/package.json',
      '/views/layout.eta',
      '/reg',
      '/registration',
    ])
      expect([path, (await send(`${server.origin}${path}`)).status]).toEqual([path, 404])
  })

  it('UX-18 sends styles and script once: asked again, they are as they were', async () => {
    const page = await (await send(`${server.origin}/signed-out`)).text()
    const paths = [...page.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path = '']) => path)
    expect(paths).toHaveLength(2)
    for (const path of paths) {
      const first = await send(server.origin + path)
      const again = await send(server.origin + path, {
        headers: { 'if-none-match': first.headers.get('etag') ?? '' },
      })
      expect([path, first.status, again.status, await again.text()]).toEqual([path, 200, 304, ''])
    }
  })
})

describe('forms of other sites', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  it('SE-11 a form post without our token, or from elsewhere, is refused before anything is done', async () => {
    const account = await createAccount(server)
    const browser = await atLogin(server)
    const { pathname } = browser.page.form('/login').action
    const csrf =
      browser.page.form('/login').fields.find(({ name }) => name === '_csrf')?.value ?? ''
    const values = { username: account.email, password: PASSWORD }
    const before = server.context.hasher.stats.evaluations
    const other =
      (await atLogin(server)).page.form('/login').fields.find(({ name }) => name === '_csrf')
        ?.value ?? ''
    for (const forged of ['', 'x', csrf.slice(0, -1), `${csrf}A`, csrf.toLowerCase(), other])
      expect([
        forged,
        (await browser.copy().post(pathname, { ...values, _csrf: forged })).status,
      ]).toEqual([forged, 403])
    expect((await browser.copy().post(pathname, values)).status).toBe(403)
    const foreign = [
      { origin: 'https://evil.example' }, { origin: `${server.origin}.evil.example` }, { origin: 'http://localhost' }, { origin: server.origin.replace('http', 'https') },
      { origin: `${server.origin}/` }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { 'sec-fetch-site': 'nonsense' },
    ] // biome-ignore format: a list
    for (const headers of foreign)
      expect([
        headers,
        (await browser.copy().post(pathname, { ...values, _csrf: csrf }, { headers })).status,
      ]).toEqual([headers, 403])
    for (const type of [
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/json',
      'application/xml',
      '',
    ])
      expect([
        type,
        (
          await browser
            .copy()
            .post(pathname, { ...values, _csrf: csrf }, { headers: { 'content-type': type } })
        ).status,
      ]).toEqual([type, 415])
    expect(server.context.hasher.stats.evaluations).toBe(before)
    const withoutCookie = browser.copy()
    withoutCookie.jar.delete('gatehouse_csrf')
    expect((await withoutCookie.post(pathname, { ...values, _csrf: csrf })).status).toBe(403)
    // The pages send no referrer, so browsers send `Origin: null` with their forms.
    expect(
      (await browser.post(pathname, { ...values, _csrf: csrf }, { headers: { origin: 'null' } }))
        .url.pathname,
    ).toMatch(/^\/account/)
  })

  it('SE-11 every form of every page carries the token, and every POST route asks for it', async () => {
    const paths = [
      '/forgot-password',
      '/reset-password',
      '/reset-password/resend',
      '/verify-email',
      '/change-email',
      '/undo-email',
      '/report-compromise',
      '/keep-account',
      '/interaction/x/login',
      '/interaction/x/mfa',
      '/interaction/x/sign-up',
      '/interaction/x/verify-email',
      '/interaction/x/resend',
      '/interaction/x/consent',
      '/interaction/x/select-account',
      '/interaction/x/switch-account',
    ]
    for (const path of paths)
      expect([path, (await new Browser(server.origin).post(path, { token: 'x' })).status]).toEqual([
        path,
        403,
      ])
    for (const browser of [await atLogin(server), await atSignUp(server)])
      for (const form of browser.page.forms)
        if (form.method === 'POST') expect(form.fields.map(({ name }) => name)).toContain('_csrf')
  })

  it('SE-11 the JSON door takes no form types, and cookies mean nothing to it', async () => {
    const { browser } = await newPerson(server)
    const cookie = browser.jar.header(new URL(server.origin)) ?? ''
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonx',
    ])
      expect([
        type,
        (
          await send(`${server.origin}/api/auth/sign-in/email`, {
            method: 'POST',
            headers: { 'content-type': type, 'content-length': 2 },
            body: '{}',
          })
        ).status,
      ]).toEqual([type, 415])
    expect(
      (await send(`${server.origin}/api/auth/user/me`, { method: 'POST', headers: { cookie } }))
        .status,
    ).toBe(401)
  })

  it('SE-13 opening every page as a signed-in person changes nothing that is kept', async () => {
    const { account, browser } = await newPerson(server)
    const { tokenId } = await server.context.passwordReset.request(account.email, {
      ip: '192.0.2.1',
      userAgent: 'test',
      requestId: 'test',
    })
    expect(tokenId).not.toBe('')
    const kept = [
      'account',
      'client',
      'consent',
      'known_device',
      'pending_sign_up',
      'recovery_code',
      'resource',
      'signing_key',
      'totp_credential',
      'verification_token',
      'mfa_challenge',
      'attempt_counter',
    ]
    const before = await dump(server, kept)
    expect(before['verification_token']).toContain(account.email)
    const sessions = (await server.context.sessions.list(account.id)).map(({ id }) => id)
    const paths = [
      '/',
      '/account',
      '/account/profile',
      '/account/security',
      '/account/sessions',
      '/account/apps',
      '/account/activity',
      '/login',
      '/signup',
      '/forgot-password',
      '/reset-password',
      '/session/end',
      '/locale?lang=de&theme=dark',
      '/session/end/success',
      '/interaction/x/login',
      '/session/end/confirm',
      '/session/end/confirm?logout=yes',
      '/reset-password/resend',
      '/account/sessions?end=all',
      '/report-compromise?token=x',
      '/keep-account?token=x',
      '/undo-email?token=x',
      '/change-email?token=x',
      '/verify-email?token=x',
    ]
    for (const path of paths)
      for (const method of ['GET', 'HEAD']) {
        const cookie = browser.jar.header(new URL(path, server.origin)) ?? ''
        expect([
          path,
          (await send(`${server.origin}${path}`, { method, headers: { cookie } })).status < 500,
        ]).toEqual([path, true])
      }
    expect(await dump(server, kept)).toEqual(before)
    expect((await server.context.sessions.list(account.id)).map(({ id }) => id)).toEqual(sessions)
  })

  it('SE-14 CORS: only the exact origin of the client that asks, never on pages', async () => {
    const { clientId } = await createClient(server, {
      secret: null,
      redirectUris: ['https://good.example/callback'],
    })
    const ask = (path: string, origin: string, method = 'POST') =>
      send(`${server.origin}${path}`, {
        method,
        headers: {
          origin,
          'content-type': 'application/x-www-form-urlencoded',
          'access-control-request-method': 'POST',
        },
        ...(method === 'POST'
          ? { body: `client_id=${clientId}&grant_type=authorization_code&code=x` }
          : {}),
      })
    expect(
      (await ask('/token', 'https://good.example')).headers.get('access-control-allow-origin'),
    ).toBe('https://good.example')
    for (const origin of [
      'https://good.evil.example',
      'https://good.example.evil.example',
      'https://evilgood.example',
      'http://good.example',
      'https://good.example:8443',
      'https://GOOD.example.',
      'null',
      'https://good.example/',
      'file://',
    ])
      expect([
        origin,
        (await ask('/token', origin)).headers.get('access-control-allow-origin'),
      ]).toEqual([origin, null])
    for (const path of [
      '/auth',
      '/login',
      '/account',
      '/forgot-password',
      '/session/end',
      '/api/auth/user/me',
      '/api/auth/sign-in/email',
      '/interaction/x/login',
    ])
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const { headers } = await ask(path, 'https://good.example', method)
        expect([
          path,
          method,
          headers.get('access-control-allow-origin'),
          headers.get('access-control-allow-credentials'),
        ]).toEqual([path, method, null, null])
      }
  })
})

describe('in Chromium', () => {
  const people = chromium()
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  it('WB-04 PW-13 a person without JavaScript signs up, proves the address, consents and is back at the app', async () => {
    const page = await people.newPage({ javaScriptEnabled: false })
    const app = await relyingParty(server, {
      redirectUris: [`${server.origin}/health/live`],
    })
    await page.goto(app.authorizationUrl({ prompt: 'create', scope: 'openid email' }).href)
    await page.fill('[name=name]', 'Grace Hopper')
    await page.fill('[name=email]', 'wb04@example.org')
    expect(await page.getAttribute('[name=password]', 'autocomplete')).toBe('new-password')
    await page.fill('[name=password]', PASSWORD)
    await page.click('form[action$="/sign-up"] button:not([type=button])')
    expect(await page.getAttribute('[name=code]', 'autocomplete')).toBe('one-time-code')
    await page.fill('[name=code]', await server.inbox.code('wb04@example.org'))
    await page.click('form[action$="/verify-email"] button:not([type=button])')
    await page.click('button[value=allow]')
    await page.waitForURL('**/health/live?*')
    expect((await app.redeem(page.url())).claims()?.iss).toBe(server.origin)
  })

  it('WB-03 WB-05 payloads run nowhere, and nothing is fetched from elsewhere', async () => {
    const page = await people.newPage()
    const foreign: string[] = []
    const dialogs: string[] = []
    page.on('request', (request) => {
      if (!request.url().startsWith(server.origin) && !request.url().startsWith('data:'))
        foreign.push(request.url())
    })
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message())
      void dialog.dismiss()
    })
    const app = await relyingParty(server, { name: '"><img src=x onerror=alert(1)>' })
    for (const payload of PAYLOADS.slice(0, 7)) {
      await page.goto(app.authorizationUrl({ login_hint: payload }).href)
      await page.fill('[name=username]', payload)
      await page.fill('[name=password]', payload)
      await page.click('form[action$="/login"] button:not([type=button])')
      await page.goto(`${server.origin}/forgot-password?email=${encodeURIComponent(payload)}`)
      await page.goto(`${server.origin}/auth?client_id=${encodeURIComponent(payload)}`)
    }
    expect({ dialogs, foreign }).toEqual({ dialogs: [], foreign: [] })
  })
})
