import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Account } from '../../src/entities/index.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { enableMfa, enter, signedIn } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1'

describe('the account area, by a person without JavaScript', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())
  const load = (id: string) => server.context.database.em.fork().findOneOrFail(Account, { id })

  it('UX-33 deep links sign the person in and lead to the page that was meant', async () => {
    for (const path of [
      '/account',
      '/account/profile',
      '/account/sessions',
      '/account/apps',
      '/account/activity',
      '/account/password',
    ]) {
      const { browser } = await signedIn(server, { path })
      expect(browser.page.url.pathname).toBe(path)
      expect(browser.page.response.headers.get('cache-control')).toBe('no-store')
    }
    const { browser } = await signedIn(server, { path: '/account/security' })
    expect(browser.page.url.pathname + browser.page.url.hash).toBe('/account#security')
    expect(browser.page.text).toContain('id="security"')
  })

  it('UX-33 /.well-known/change-password leads to the page that changes it', async () => {
    const { browser } = await signedIn(server)
    const page = await browser.visit('/.well-known/change-password')
    expect(page.url.pathname).toBe('/account/password')
    const stranger = await new Browser(server.origin).visit('/.well-known/change-password', {})
    expect(stranger.forms.some(({ action }) => action.pathname.endsWith('/login'))).toBe(true)
  })

  it('shows what the account is: address, password, second factor, sessions, apps', async () => {
    const { browser, account } = await signedIn(server, { name: 'Ada Lovelace' })
    expect(browser.page.h1).toBe('Hello, Ada Lovelace')
    expect(browser.page.words).toContain(account.email)
    expect(browser.page.words).toContain('1 device signed in')
    await enableMfa(server, account)
    expect((await browser.visit('/account')).words).toContain('10 left')
  })

  it('changes name, picture, phone and language, and clears what is emptied', async () => {
    const { browser, account } = await signedIn(server, { path: '/account/profile' })
    const saved = await browser.submit('/account/profile', {
      name: '  Augusta Ada King ',
      image_url: 'https://example.org/ada.png',
      phone_number: '+44 20 7946 0000',
      locale: 'de',
    })
    expect(saved.text).toContain('lang="de"')
    expect(saved.words).toContain('Gespeichert.')
    expect(await load(account.id)).toMatchObject({
      name: 'Augusta Ada King',
      imageUrl: 'https://example.org/ada.png',
      phoneNumber: '+442079460000',
      locale: 'de',
    })
    const again = await browser.visit('/account/profile')
    expect(again.words).not.toContain('Gespeichert.')
    await browser.submit('/account/profile', { image_url: '', phone_number: '', locale: '' })
    expect(await load(account.id)).toMatchObject({
      name: 'Augusta Ada King',
      imageUrl: null,
      phoneNumber: null,
      locale: null,
    })
  })

  it('says beside the field what is wrong and keeps what was typed (UX-10, UX-11)', async () => {
    const { browser, account } = await signedIn(server, { path: '/account/profile' })
    const wrong = {
      name: 'See http://evil.example',
      image_url: 'javascript:alert(1)',
      phone_number: '12',
      locale: '',
    }
    const page = await browser.submit('/account/profile', wrong)
    expect(page.status).toBe(400)
    expect(page.title).toMatch(/^Error:/)
    for (const name of ['name', 'image_url', 'phone_number'])
      expect(page.text).toContain(`id="${name}-error"`)
    expect(page.text).toContain('value="javascript:alert(1)"')
    expect((await load(account.id)).name).toBe(account.name)
  })

  it('UX-34 lists sessions in words and ends one of them at once, and no other', async () => {
    const { browser, account } = await signedIn(server)
    const phone = new Browser(server.origin, { headers: { 'user-agent': PHONE } })
    await phone.visit('/account')
    await enter(phone, account)
    const { browser: third } = await signedIn(server, { account })

    const list = await browser.visit('/account/sessions')
    expect(list.words).toContain('Chrome on Linux This device')
    expect(list.words).toContain('Safari on iOS')
    expect(list.words).toContain('127.0.0.1')
    const times = list.text.match(
      /<time datetime="[\d-]+T[\d:.]+Z" title="\d+ \w+ \d{4} at \d\d:\d\d UTC">[^<]+<\/time>/g,
    )
    expect(times).toHaveLength(6)
    const [row] = await server.context.sessions
      .list(account.id)
      .then((rows) => rows.filter(({ userAgent }) => userAgent === PHONE))
    const form = list.forms.find(({ fields }) =>
      fields.some(({ name, value }) => name === 'id' && value === row?.id),
    )
    const ended = await browser.submit(form ?? 'missing')
    expect(ended.words).toContain('That session has ended.')
    expect(ended.words).not.toContain('Safari on iOS')

    expect((await phone.visit('/account')).forms[0]?.action.pathname).toMatch(/login$/)
    expect((await third.visit('/account')).h1).toBe(`Hello, ${account.name}`)

    const others = await browser.submit('/account/sessions/end-others')
    expect(others.words).toContain('You are signed in nowhere else.')
    expect((await third.visit('/account')).forms[0]?.action.pathname).toMatch(/login$/)
    expect((await browser.visit('/account')).h1).toBe(`Hello, ${account.name}`)
  })

  it('UX-34 SE-06 what an app got through the other sessions ends with them', async () => {
    const { browser, account } = await signedIn(server)
    const app = await relyingParty(server, { firstParty: true })
    const other = new Browser(server.origin)
    await other.visit(app.authorizationUrl({ scope: 'openid' }))
    const back = await enter(other, account)
    const tokens = await app.redeem(back.url)
    await browser.visit('/account/sessions')
    await browser.submit('/account/sessions/end-others')
    await expect(app.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    await expect(app.userinfo(tokens.access_token)).rejects.toThrow()
  })

  it('UX-35 lists connected apps with what they may do, and removing one kills its grant and tokens', async () => {
    const { browser, account } = await signedIn(server)
    const app = await relyingParty(server, { name: 'Plant Diary' })
    const kept = await relyingParty(server, { name: 'Timesheets' })
    const issued = []
    for (const party of [app, kept]) {
      await browser.visit(
        party.authorizationUrl({ scope: 'openid email offline_access', prompt: 'consent' }),
      )
      issued.push(
        await party.redeem((await browser.submit('/consent', {}, { button: 'allow' })).url),
      )
    }
    const [tokens, others] = issued

    const list = await browser.visit('/account/apps')
    expect(list.words).toContain('Plant Diary client.example')
    expect(list.words).toContain('See your e-mail address')
    const form = list.forms.find(({ fields }) =>
      fields.some(({ name, value }) => name === 'client_id' && value === app.clientId),
    )
    const removed = await browser.submit(form ?? 'missing')
    expect(removed.words).toContain('The app no longer has access.')
    expect(removed.words).not.toContain('Plant Diary')

    await expect(app.refresh(tokens?.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    await expect(app.userinfo(tokens?.access_token ?? '')).rejects.toThrow()
    expect((await kept.refresh(others?.refresh_token ?? '')).access_token).toBeTruthy()
    const asks = await browser.visit(app.authorizationUrl({ scope: 'openid email' }))
    expect(asks.step).toBe('consent')
    expect((await server.context.accounts.findActive(account.id))?.id).toBe(account.id)
  })

  it('UX-37 LG-08 hands out everything that is kept about the person, and no secret', async () => {
    const { browser, account } = await signedIn(server, { path: '/account' })
    const file = await browser.visit('/account/export')
    expect(file.response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(file.response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="account-\d{4}-\d\d-\d\d\.json"/,
    )
    const document = JSON.parse(file.text) as Record<string, unknown>
    expect(document).toMatchObject({
      user: { id: account.id, email: account.email, email_verified: true },
      apps: [],
    })
    expect(document['sessions']).toHaveLength(1)
    expect(file.text).not.toMatch(/hash|secret|argon2/i)
  })

  it('UX-37 SE-07 deletes the account after a typed confirmation, and the mailed link brings it back', async () => {
    const { browser, account } = await signedIn(server, { path: '/account/delete' })
    const app = await relyingParty(server, { firstParty: true })
    const tokens = await app.redeem(
      (await browser.visit(app.authorizationUrl({ scope: 'openid' }))).url,
    )
    expect((await browser.visit('/account/delete')).words).toContain('14 days')
    const wrong = await browser.submit('/account/delete', { confirmation: 'someone@example.org' })
    expect(wrong.status).toBe(400)
    expect(wrong.words).toContain('This does not match.')

    const gone = await browser.submit('/account/delete', {
      confirmation: ` ${account.email.toUpperCase()}`,
    })
    expect(gone.h1).toBe('Your account will be deleted')
    expect((await browser.visit('/account')).forms[0]?.action.pathname).toMatch(/login$/)
    expect((await enter(browser, account)).status).toBe(401)
    await expect(app.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    await expect(app.userinfo(tokens.access_token)).rejects.toThrow()

    const link = await server.inbox.link(account.email, '/keep-account')
    const someone = new Browser(server.origin)
    for (let visit = 0; visit < 3; visit += 1)
      expect((await someone.visit(link)).h1).toBe('Keep your account?')
    expect((await someone.submit('/keep-account')).h1).toBe('Your account stays')
    expect((await signedIn(server, { account })).browser.page.words).toContain(account.email)
    expect((await someone.visit(link)).status).toBe(400)
  })

  it('UX-37 a deleted account is erased after the grace period', async () => {
    const { browser, account } = await signedIn(server, { path: '/account/delete' })
    await browser.submit('/account/delete', { confirmation: account.email })
    expect(await server.context.deletion.eraseDue()).toBe(0)
    await server.context.database.em
      .fork()
      .nativeUpdate(Account, { id: account.id }, { deleteAfter: new Date(Date.now() - 1000) })
    expect(await server.context.deletion.eraseDue()).toBe(1)
    expect(await server.context.database.em.fork().count(Account, { id: account.id })).toBe(0)
  })

  it('SE-05 signing out ends this sign-in only, clears the browser, and shows a page that says so', async () => {
    const { browser, account } = await signedIn(server)
    const { browser: other } = await signedIn(server, { account })
    const thief = browser.copy()
    const answer = await browser.submit('/account/sign-out', {}, { follow: false })
    expect(answer.status).toBe(303)
    expect(answer.response.headers.get('clear-site-data')).toBe('"cache"')
    expect(browser.jar.header(new URL(server.origin)) ?? '').not.toMatch(/(^|; )session=/)
    expect((await browser.visit('/signed-out')).h1).toBe('You are signed out')
    expect((await thief.visit('/account')).forms[0]?.action.pathname).toMatch(/login$/)
    expect((await other.visit('/account')).words).toContain(account.email)
  })

  it('UX-15 signing out twice, or in a tab that was left open, is no error', async () => {
    const { browser } = await signedIn(server)
    const tab = browser.copy()
    await tab.visit('/account')
    await browser.submit('/account/sign-out')
    expect((await tab.submit('/account/sign-out')).h1).toBe('You are signed out')
  })

  it('SE-04 "remember this device" makes a session of 30 days, its absence one that ends with the browser', async () => {
    const account = await createAccount(server, { password: PASSWORD })
    await signedIn(server, { account, remember: true })
    await signedIn(server, { account })
    const rows = await server.context.sessions.list(account.id)
    const hours = rows.map(
      ({ expiresAt, isRemembered }) =>
        `${isRemembered} ${Math.round((expiresAt.getTime() - Date.now()) / 3_600_000)}`,
    )
    expect(new Set(hours)).toEqual(new Set(['false 1', 'true 720']))
  })

  it('shows the person what happened, in words, newest first, fifty at a time, and nothing of others', async () => {
    const { account } = await signedIn(server)
    const { browser } = await signedIn(server, { account, path: '/account/profile' })
    for (let change = 0; change < 55; change += 1)
      await server.context.profile.update(account.id, { name: `Ada ${change}` })
    await signedIn(server)
    await eventually(
      async () => (await server.context.activity.listForAccount(account.id, { limit: 100 })).length,
      58,
    )
    const page = await browser.visit('/account/activity')
    expect(page.text.match(/<li><div><strong>/g)).toHaveLength(50)
    expect(page.words).toContain('Profile changed')
    const older = await browser.follow(
      page.links.find(({ search }) => search.startsWith('?before=')) ?? '',
    )
    expect(older.words).toContain('Signed in')
    expect(older.text.match(/<li><div><strong>/g)).toHaveLength(8)
    for (const query of ['?before=x', '?before=-1', '?before=1e99', '?before=1&before=2'])
      expect((await browser.visit(`/account/activity${query}`)).status).toBe(200)
  })
})
