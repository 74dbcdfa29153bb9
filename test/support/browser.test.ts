import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from './browser.ts'
import { CookieJar } from './cookie-jar.ts'

const FORM = `<!doctype html><title>Sign &amp; in</title><h1>Hello <b>you</b></h1>
<script>if (1 < 2) document.write('<form action="/evil"><h1>no</h1></form>')</script>
<form id="f" method="post" action="/login?x=1"><input type="hidden" name="csrf" value="a&quot;b"><input name="email" value="x@y.z">
<input type="checkbox" name="remember" value="yes"><input type="radio" name="r" value="1" checked><input type="radio" name="r" value="2">
<select name="lang"><option value="en">English<option value="ar" selected>العربية</select><textarea name="t">a
b</textarea><button name="go" value="in">Sign in</button><button name="go" value="later">Later</button></form>
<input form="f" name="outside" value="o">`

describe('the test browser', () => {
  let server: Server
  let browser: Browser
  const seen: {
    method: string | undefined
    url: string | undefined
    cookie: string | undefined
    origin: string | undefined
    body: string
  }[] = []

  beforeAll(async () => {
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const { method, url, headers } = request
        seen.push({ method, url, cookie: headers.cookie, origin: headers.origin, body })
        if (url === '/form')
          response.setHeader('set-cookie', [
            'a=1; Path=/',
            'b=2; Path=/login',
            '__Host-c=3; Path=/x; Secure',
            'd=4; Max-Age=0',
          ])
        if (url?.startsWith('/login')) response.writeHead(303, { location: '/away' })
        if (url === '/away')
          response.writeHead(302, { location: 'https://client.example/cb?code=1' })
        return response.end(FORM)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    browser = new Browser(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })
  afterAll(() => {
    server.close()
  })

  it('reads title, heading and forms and ignores scripts', async () => {
    const page = await browser.visit('/form')
    expect([page.title, page.h1, page.forms.length]).toEqual(['Sign & in', 'Hello you', 1])
    expect(page.words).toBe('Hello you English العربية a b Sign in Later')
  })

  it('submits like a person: defaults, the pressed button, cookies by path, and stops at a foreign origin', async () => {
    const page = await browser.submit(
      '/login',
      { email: 'ada@example.org', remember: true, r: '2' },
      { button: 'Later' },
    )
    expect(page.url.href).toBe('https://client.example/cb?code=1')
    expect(page.isForeign).toBe(true)
    const [post, away] = seen.slice(-2)
    expect(post).toMatchObject({
      method: 'POST',
      url: '/login?x=1',
      cookie: 'b=2; a=1',
      origin: browser.origin,
    })
    expect(Object.fromEntries(new URLSearchParams(post?.body))).toEqual({
      csrf: 'a"b',
      email: 'ada@example.org',
      remember: 'yes',
      r: '2',
      lang: 'ar',
      t: 'a\nb',
      go: 'later',
      outside: 'o',
    })
    expect(away).toMatchObject({ method: 'GET', cookie: 'a=1', origin: undefined, body: '' })
  })

  it('refuses to fill a field that is not there', async () => {
    await browser.visit('/form')
    expect(() => browser.submit(0, { password: 'x' })).toThrow('no field password')
    expect(() => browser.submit(0, {}, { button: 'Nope' })).toThrow('no button Nope')
  })

  it('keeps and drops cookies as RFC 6265bis says', () => {
    const jar = new CookieJar()
    const https = new URL('https://a.example/x/y')
    jar.store(https, [
      's=1; Secure',
      '__Host-h=1; Secure; Path=/',
      'other=1; Domain=b.example',
      'wide=1; Domain=a.example; Path=/',
    ])
    expect(jar.header(https)).toBe('s=1; __Host-h=1; wide=1')
    expect(jar.header(new URL('http://a.example/x/y'))).toBe('wide=1')
    expect(jar.header(new URL('https://sub.a.example/x'))).toBe('wide=1')
    expect(jar.header(new URL('https://a.example/xy'))).toBe('__Host-h=1; wide=1')
    jar.store(https, ['__Host-h=; Path=/; Secure; Expires=Thu, 01 Jan 1970 00:00:00 GMT'])
    expect(jar.find('__Host-h')).toBeUndefined()
  })
})
