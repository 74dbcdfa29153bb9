import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const root = (text: string): string => /<html[^>]*>/.exec(text)?.[0] ?? ''

describe('language and theme', () => {
  it('UX-39 a language chosen in the middle of a sign-in keeps the sign-in, and stays', async () => {
    const app = await relyingParty(server)
    const browser = new Browser(server.origin)
    const before = await browser.visit(app.authorizationUrl({ scope: 'openid' }))
    expect([root(before.text), before.h1]).toEqual(['<html lang="en" dir="ltr">', 'Sign in'])
    const picker = before.forms.findIndex(({ action }) => action.pathname === '/locale')
    const after = await browser.submit(picker, {}, { button: 'ar' })
    expect(after.url.href).toBe(before.url.href)
    expect([root(after.text), after.h1]).toEqual(['<html lang="ar" dir="rtl">', 'تسجيل الدخول'])
    const later = await browser.visit(app.authorizationUrl({ scope: 'openid', ui_locales: 'de' }))
    expect(root(later.text)).toContain('lang="ar"')
  })

  it('UX-32 the app asks for a language with ui_locales, the browser with Accept-Language', async () => {
    const app = await relyingParty(server)
    const german = await new Browser(server.origin).visit(
      app.authorizationUrl({ scope: 'openid', ui_locales: 'xx de-AT en' }),
    )
    expect([root(german.text), german.h1]).toEqual(['<html lang="de" dir="ltr">', 'Anmelden'])
    const headers = { 'accept-language': 'de;q=0.9, ar' }
    const arabic = await new Browser(server.origin, { headers }).visit(
      app.authorizationUrl({ scope: 'openid' }),
    )
    expect(root(arabic.text)).toContain('lang="ar"')
  })

  it('UX-38 a theme is chosen by link, kept in a cookie and given back to the device', async () => {
    const browser = new Browser(server.origin)
    const themes: string[] = []
    for (const theme of ['dark', 'light', 'sepia', 'auto']) {
      const page = await browser.visit(`${server.origin}/locale?theme=${theme}&return_to=/login`)
      themes.push(/data-theme="(\w+)"/.exec(root(page.text))?.[1] ?? 'none')
    }
    expect(themes).toEqual(['dark', 'light', 'light', 'none'])
  })

  it.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/%0d%0aSet-Cookie:x=1',
    '/\t/evil.example',
    'javascript:alert(1)',
    '/..//evil.example',
    '/.//evil.example',
  ])('WB-06 the way back %j never leaves the server', async (path) => {
    const url = `${server.origin}/locale?lang=de&return_to=${encodeURIComponent(path)}`
    const response = await fetch(url, { redirect: 'manual' })
    expect(response.status).toBe(303)
    const location = response.headers.get('location') ?? ''
    expect(location).toMatch(/^\/(?![/\\])/)
    expect(new URL(location, server.origin).origin).toBe(server.origin)
    expect(response.headers.get('set-cookie')).toMatch(/^gatehouse_locale=de;.*httponly/i)
  })
})
