import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Account } from '../../src/entities/index.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { enter, signedIn } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const NEW_PASSWORD = 'twelve quiet otters sail home'

describe('a forgotten password, by a person without JavaScript', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  async function forgot(email: string): Promise<Browser> {
    const browser = new Browser(server.origin)
    await browser.visit('/login')
    await browser.follow(
      browser.page.links.find(({ pathname }) => pathname === '/forgot-password') ?? '',
    )
    const page = await browser.submit('/forgot-password', { email })
    expect(page.url.pathname).toBe('/reset-password')
    return browser
  }

  it('EM-07 asking for a reset changes nothing: sessions stay, the old password works', async () => {
    const { browser: owner, account } = await signedIn(server)
    await forgot(account.email)
    await server.inbox.next(account.email)
    expect((await owner.visit('/account')).words).toContain(account.email)
    expect((await signedIn(server, { account })).browser.page.words).toContain(account.email)
  })

  it('EM-08 the code sets a new password, ends every session and token, signs nobody in, and tells the owner', async () => {
    const { browser: owner, account } = await signedIn(server)
    const app = await relyingParty(server, { firstParty: true })
    const tokens = await app.redeem(
      (await owner.visit(app.authorizationUrl({ scope: 'openid' }))).url,
    )
    const browser = await forgot(account.email)
    const code = await server.inbox.code(account.email)
    const done = await browser.submit('/reset-password', {
      code: `${code.slice(0, 3)} ${code.slice(3)}`,
      password: NEW_PASSWORD,
    })
    expect(done.h1).toBe('Your password is changed')

    expect((await browser.visit('/account')).h1).toBe('Sign in')
    expect((await owner.visit('/account')).h1).toBe('Sign in')
    await expect(app.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    await expect(app.userinfo(tokens.access_token)).rejects.toThrow()
    expect((await enter(owner, account)).status).toBe(401)
    expect((await enter(owner, { ...account, password: NEW_PASSWORD })).url.pathname).toBe(
      '/account',
    )
    expect((await server.inbox.next(account.email)).subject).toMatch(/password was changed/)
  })

  it('EM-04 UX-28 opening the link spends nothing, its button once', async () => {
    const account = await createAccount(server)
    await forgot(account.email)
    const link = await server.inbox.link(account.email, '/reset-password')
    const browser = new Browser(server.origin)
    for (let visit = 0; visit < 10; visit += 1)
      expect((await browser.copy().visit(link)).status).toBe(200)
    const page = await browser.visit(link)
    const second = browser.copy()
    await second.visit(link)
    expect(page.words).toContain(account.email)
    expect((await browser.submit('/reset-password', { password: NEW_PASSWORD })).h1).toBe(
      'Your password is changed',
    )
    expect(
      (await second.submit('/reset-password', { password: 'some other long pass phrase' })).status,
    ).toBe(400)
    expect((await browser.visit(link)).status).toBe(400)
  })

  it('EM-06 the page with the link’s secret sends no referrer, is not stored, loads nothing foreign, and posts without it in the address', async () => {
    const account = await createAccount(server)
    await forgot(account.email)
    const link = await server.inbox.link(account.email, '/reset-password')
    const page = await new Browser(server.origin).visit(link)
    const { headers } = page.response
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'/)
    for (const [, address = ''] of page.text.matchAll(/(?:src|href)="([^"]+)"/g)) {
      if (address.startsWith('data:')) continue
      expect(new URL(address, server.origin).origin).toMatch(
        new RegExp(`^${server.origin}$|^https://example\\.org$`),
      )
    }
    expect(page.form('/reset-password').action.search).toBe('')
  })

  it('UX-30 UX-36 a password forgotten on the way to an app loses the app neither from sight nor from the way', async () => {
    const account = await createAccount(server)
    const app = await relyingParty(server, { firstParty: true, name: 'Plant Diary' })
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid' }))
    const signInAt = browser.page.form('/login').action.pathname
    await browser.follow(
      browser.page.links.find(({ pathname }) => pathname === '/forgot-password') ?? '',
    )
    expect(browser.page.links.map(({ pathname }) => pathname)).toContain(signInAt)
    expect(browser.page.words).toContain('Plant Diary')
    await browser.submit('/forgot-password', { email: account.email })
    expect(browser.page.words).toContain('Plant Diary')
    const code = await server.inbox.code(account.email)
    const startOver = browser.page.links.find(({ pathname }) => pathname === '/forgot-password')
    expect(startOver?.searchParams.get('interaction')).toBe(signInAt.split('/')[2])
    await browser.submit('/reset-password', { code, password: NEW_PASSWORD })
    await browser.follow(browser.page.links.find(({ pathname }) => pathname === signInAt) ?? '')
    const { url } = await browser.submit('/login', {
      username: account.email,
      password: NEW_PASSWORD,
    })
    expect((await app.redeem(url)).claims()?.sub).toBe(account.id)
  })

  it('SE-12 no other browser learns from its address which app a sign-in is for, nor is it led into it', async () => {
    const account = await createAccount(server)
    const app = await relyingParty(server, { firstParty: true })
    const owner = new Browser(server.origin)
    await owner.visit(app.authorizationUrl())
    const uid = owner.page.url.pathname.split('/')[2] ?? ''
    const path = `/forgot-password?interaction=${uid}`
    const seen = (browser: Browser) => [
      browser.page.words.includes('Plant Diary'),
      browser.page.text.includes(`/interaction/${uid}`),
    ]
    await owner.visit(path)
    expect(seen(owner)).toEqual([true, true])
    const other = new Browser(server.origin)
    await other.visit(app.authorizationUrl())
    await other.visit(path)
    expect(seen(other)).toEqual([false, false])
    const form = other.page.form('/forgot-password')
    const csrf = form.fields.find(({ name }) => name === '_csrf')?.value ?? ''
    await other.post('/forgot-password', { email: account.email, interaction: uid, _csrf: csrf })
    expect([other.page.url.pathname, ...seen(other)]).toEqual(['/reset-password', false, false])
    const code = await server.inbox.code(account.email)
    await other.submit('/reset-password', { code, password: NEW_PASSWORD })
    expect([other.page.h1, ...seen(other)]).toEqual(['Your password is changed', false, false])
  })

  it('UX-26 another code can be asked for after half a minute, or at once after a wrong one', async () => {
    const wait = (text: string) => /data-wait="(\d+)"/.exec(text)?.[1]
    const browser = await forgot((await createAccount(server)).email)
    expect(wait(browser.page.text)).toBe('30')
    expect(
      wait(
        (await browser.submit('/reset-password', { code: '000000', password: NEW_PASSWORD })).text,
      ),
    ).toBe('0')
    await browser.visit('/signup')
    const page = await browser.submit('/sign-up', {
      name: 'Ada',
      email: 'newcomer@example.org',
      password: PASSWORD,
    })
    expect([page.h1, wait(page.text)]).toEqual(['Check your mail', '30'])
    expect(wait((await browser.submit('/verify-email', { code: '000000' })).text)).toBe('0')
    const again = await browser.submit('/resend')
    expect([again.words.includes('Another code is on its way'), wait(again.text)]).toEqual([
      true,
      '30',
    ])
  })

  it('EM-03 the pages say that older codes work, and they do', async () => {
    const { email } = await createAccount(server)
    const browser = await forgot(email)
    const older = await server.inbox.code(email)
    const wrong = await browser.submit('/reset-password', {
      code: older === '000000' ? '000001' : '000000',
      password: NEW_PASSWORD,
    })
    expect(wrong.words).toContain(
      'That code is not right or has expired. Check its digits, or ask for another.',
    )
    const sent = await browser.submit('/reset-password/resend')
    expect(sent.words).toContain('Those before it work until they are ten minutes old.')
    expect(
      (await browser.submit('/reset-password', { code: older, password: NEW_PASSWORD })).h1,
    ).toBe('Your password is changed')
  })

  it('EM-03 every code dies with a changed password', async () => {
    const account = await createAccount(server)
    const browser = await forgot(account.email)
    const older = await server.inbox.code(account.email)
    await browser.submit('/reset-password/resend')
    const newer = await server.inbox.code(account.email)
    await server.context.passwords.replace(account.id, 'twelve quiet otters sail back')
    for (const code of [older, newer])
      expect(
        (await browser.submit('/reset-password', { code, password: NEW_PASSWORD })).status,
      ).toBe(400)
  })

  it('PW-01 PW-04 PW-05 a weak new password is refused with the reason and does not cost the code', async () => {
    const account = await createAccount(server, { name: 'Ada Lovelace' })
    const browser = await forgot(account.email)
    const code = await server.inbox.code(account.email)
    for (const password of ['short', account.email, 'passwordpassword'])
      expect((await browser.submit('/reset-password', { code, password })).status).toBe(400)
    expect(browser.page.text).toContain('id="password-error"')
    expect((await browser.submit('/reset-password', { code, password: NEW_PASSWORD })).h1).toBe(
      'Your password is changed',
    )
  })

  it('PW-11 after a report only a reset opens the account again', async () => {
    const account = await createAccount(server)
    await server.context.database.em
      .fork()
      .nativeUpdate(Account, { id: account.id }, { mustResetPassword: true })
    const browser = new Browser(server.origin)
    await browser.visit('/account')
    expect((await enter(browser, account)).status).toBe(401)
    const reset = await forgot(account.email)
    await reset.submit('/reset-password', {
      code: await server.inbox.code(account.email),
      password: NEW_PASSWORD,
    })
    await browser.visit('/account')
    expect((await enter(browser, { ...account, password: NEW_PASSWORD })).url.pathname).toBe(
      '/account',
    )
  })

  it('UX-12 EN-01 an address without an account gets the same pages and no mail', async () => {
    const known = await createAccount(server, { password: PASSWORD })
    const shape = (text: string, email: string) =>
      text
        .replaceAll(email, 'ADDRESS')
        .replace(/nonce="[^"]+"/g, '')
        .replace(/value="[\w-]{43}"/g, '')
        .replace(/\?interaction=[\w-]{43}"/g, '"')
    const pages: string[] = []
    for (const email of [known.email, 'nobody@example.org']) {
      const browser = await forgot(email)
      pages.push(shape(browser.page.text, email))
      const wrong = await browser.submit('/reset-password', {
        code: '000000',
        password: NEW_PASSWORD,
      })
      pages.push(`${wrong.status}${shape(wrong.text, email)}`)
    }
    expect(pages[2]).toBe(pages[0])
    expect(pages[3]).toBe(pages[1])
    await server.inbox.next(known.email)
    expect(await server.inbox.mails('nobody@example.org')).toEqual([])
  })
})
