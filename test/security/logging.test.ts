import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { generate } from 'otplib/functional'
import { api } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { keptLog } from '../support/kept-log.ts'
import { startLoggedPostgres } from '../support/logged-postgres.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { addresses, atLogin, atSignUp, dump, submitLogin } from './attacks.ts'

const elsewhere = addresses()

describe('secrets', () => {
  it('LG-02 of 200 and more canaries in passwords, codes, tokens, links and cookies none is in a log line, ours or the database’s with every statement, and none can be read in a table', async () => {
    const { logger, text } = keptLog()
    await using database = await startLoggedPostgres()
    await using server = await startServer({ logger, database, config: { trustedProxyHops: 1 } })
    const canaries = new Map<string, string>()
    const plant = (kind: string, value: string | null | undefined) => {
      if (value && value.length >= 16) canaries.set(value, kind)
      return value ?? ''
    }
    const secret = (kind: string) => plant(kind, `canary-${kind}-${randomInt(2 ** 40)} walnut`)
    const remember = (browser: Browser) => {
      for (const { name, value } of browser.jar.all)
        if (!/^(locale|theme|sign-up|reset)(\.sig)?$/.test(name)) plant(`cookie ${name}`, value)
    }
    const app = await relyingParty(server, { firstParty: true })
    plant('client secret', app.clientSecret)

    for (let round = 0; round < 8; round += 1) {
      const email = `canary${round}@example.org`
      const browser = await atSignUp(server, { headers: elsewhere() })
      const password = secret('password')
      await browser.submit('/sign-up', { name: 'Canary', email, password })
      const { text: mail } = await server.inbox.next(email)
      const link = /https?:\/\/\S+/.exec(mail)?.[0] ?? ''
      plant('mail link', new URL(link).searchParams.get('token'))
      const [code = ''] = /(?<!\d)\d{6}(?!\d)/.exec(mail.replace(/(?<=\d{3}) (?=\d{3})/g, '')) ?? []
      await browser.submit('/verify-email', { code })
      remember(browser)
      const state = secret('state')
      const back = await browser.visit(
        app.authorizationUrl({
          scope: 'openid email offline_access',
          state,
          nonce: secret('nonce'),
        }),
      )
      plant('code', back.url.searchParams.get('code'))
      const tokens = await app.redeem(back.url)
      for (const kind of ['access_token', 'refresh_token', 'id_token'] as const)
        plant(kind, tokens[kind])
      const next = await app.refresh(tokens.refresh_token ?? '')
      for (const kind of ['access_token', 'refresh_token', 'id_token'] as const)
        plant(kind, next[kind])
      await app.userinfo(next.access_token)
      await app.introspect(next.access_token)
      await app.revoke(next.refresh_token ?? '')
      await app.refresh(tokens.refresh_token ?? '').catch(() => undefined)

      const login = await atLogin(server, { headers: elsewhere() })
      await submitLogin(login, email, secret('wrong password'))
      await submitLogin(login, secret('username'), secret('password'))
      const sent = await send(`${server.origin}/api/auth/sign-in/email`, {
        method: 'POST',
        headers: {
          ...elsewhere(),
          'content-type': 'application/json',
          authorization: `Bearer ${secret('bearer')}`,
          cookie: `session=${secret('cookie')}`,
        },
        body: JSON.stringify({ email, password }),
      })
      const answer = (await sent.json()) as Record<string, string>
      for (const kind of ['access_token', 'refresh_token']) plant(`api ${kind}`, answer[kind])
      await send(`${server.origin}/userinfo`, {
        headers: { authorization: `Bearer ${secret('bearer')}` },
      })
      await send(`${server.origin}/reset-password?token=${secret('link').replaceAll(' ', '')}`)
      await send(`${server.origin}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${app.clientId}:${secret('basic')}`)}` },
      })

      const forgot = new Browser(server.origin, { headers: elsewhere() })
      await forgot.visit('/forgot-password')
      await forgot.submit('/forgot-password', { email })
      await forgot.submit('/reset-password', {
        code: await server.inbox.code(email),
        password: secret('new password'),
      })
    }
    const account = await createAccount(server)
    const { id: enrolmentId, secret: seed } = await server.context.mfa.enrol(account)
    plant('totp seed', seed)
    const recovery = await server.context.mfa.confirm(
      { accountId: account.id, enrolmentId, code: await generate({ secret: seed }) },
      {
        ip: '',
        userAgent: '',
        requestId: '',
      },
    )
    for (const one of recovery) plant('recovery code', one)
    const { token } = (
      await api(server, 'POST /sign-in/email', { email: account.email, password: account.password })
    ).body
    const spent = await api(server, 'POST /sign-in/email', {
      token: plant('challenge', token),
      code: recovery[0],
    })
    expect(spent.status).toBe(200)
    const renewed = await api(server, 'PATCH /user/refresh', {
      refresh_token: plant('api refresh_token', spent.body.refresh_token),
    })
    plant('api access_token', renewed.body.access_token)
    await api(server, 'DELETE /user/logout', undefined, { token: renewed.body.access_token })
    expect(canaries.size).toBeGreaterThanOrEqual(200)

    const log = text()
    expect(log.split('\n').length).toBeGreaterThan(200)
    const statements = database.log()
    expect(statements).toMatch(/parameters: \$1 = /i)
    const spelled = `${statements}\n${unescaped(statements)}`
    const tables = Object.entries(await dump(server)).map(([table, content]): [string, string] => [
      table,
      `${content}\n${unescaped(content)}`,
    ])
    for (const [canary, kind] of canaries) {
      expect({
        kind,
        isLogged: log.includes(canary) || log.includes(encodeURIComponent(canary)),
      }).toEqual({ kind, isLogged: false })
      // What the client sent along to be given back is no credential, and is kept with the code
      // that it belongs to.
      if (kind === 'state' || kind === 'nonce') continue
      expect({ kind, isInStatements: spelled.includes(canary) }).toEqual({
        kind,
        isInStatements: false,
      })
      for (const [table, content] of tables)
        expect({ kind, table, isThere: content.includes(canary) }).toEqual({
          kind,
          table,
          isThere: false,
        })
    }
  })

  /** What stands in hexadecimal (bytea) as text. */
  function unescaped(content: string): string {
    return [...content.matchAll(/\\x([0-9a-f]{8,})/g)]
      .map(([, hex = '']) => Buffer.from(hex, 'hex').toString('latin1'))
      .join('\n')
  }

  it('LG-02 the logger withholds what a careless line would give it', () => {
    const { logger, text } = keptLog()
    for (const name of [
      'password',
      'code',
      'token',
      'secret',
      'authorization',
      'cookie',
      'client_secret',
      'refresh_token',
      'access_token',
      'id_token',
    ]) {
      logger.info({ [name]: 'canary-canary' }, 'plain')
      logger.info({ body: { [name]: 'canary-canary' } }, 'nested')
      logger.info({ req: { headers: { [name]: 'canary-canary' } } }, 'deep')
    }
    expect(text()).not.toContain('canary-canary')
    expect(text().match(/\[redacted\]/g)).toHaveLength(30)
  })
})

describe('log lines', () => {
  let server: TestServer
  let kept: ReturnType<typeof keptLog>
  beforeAll(async () => {
    kept = keptLog()
    server = await startServer({ logger: kept.logger, config: { trustedProxyHops: 1 } })
  })
  afterAll(() => server.stop())

  it('LG-02 the path of a request is in its line, but for the id of an interaction', async () => {
    const before = kept.text().length
    const uid = 'i'.repeat(43)
    const paths = [
      '/api/auth/user/me',
      '/api/auth/sign-in/email',
      `/interaction/${uid}/login`,
      `/auth/${uid}`,
      '/auth',
      '/nothing/auth/here',
    ]
    for (const path of paths) await send(server.origin + path)
    const lines = kept.text().slice(before).trim().split('\n')
    const logged = lines.map((line) => (JSON.parse(line) as { path?: string }).path).filter(Boolean)
    expect(logged).toEqual(paths.map((path) => path.replace(uid, ':uid')))
  })

  it('LG-03 every line is one JSON object in UTC with a request id, whatever the request is made of', async () => {
    const before = kept.text().length
    const poison = [
      '\u001b[31mred\u001b[0m',
      'a\u2028b',
      'a\u2029b',
      'a\u0085b',
      '{"level":60}',
      '"},{"x":"',
      'a\u0000b',
      'a\tb',
      '\r\n{"level":60,"msg":"forged"}',
      '%0d%0a{"forged":1}',
      '\u202eevil',
    ]
    let sent = 0
    for (const text of poison) {
      const inUrl = encodeURIComponent(text)
      const inHeader = Buffer.from(text.replaceAll(/[\r\n]/g, ''), 'utf8')
        .toString('latin1')
        .replace(/[^\t\x20-\x7e\x80-\xff]/g, '')
      for (const path of [
        `/${inUrl}`,
        `/login?login_hint=${inUrl}`,
        `/interaction/${inUrl}/login`,
        `/auth?client_id=${inUrl}`,
        `/api/auth/${inUrl}`,
      ]) {
        await send(`${server.origin}${path}`, {
          headers: {
            'user-agent': inHeader,
            referer: inHeader,
            'x-request-id': inHeader,
            'x-forwarded-for': inHeader,
          },
        })
        sent += 1
      }
      await submitLogin(await atLogin(server, { headers: elsewhere() }), text, text)
    }
    const lines = kept.text().slice(before).trimEnd().split('\n')
    expect(lines.length).toBeGreaterThanOrEqual(sent)
    for (const line of lines) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/)
      const parsed = JSON.parse(line) as Record<string, unknown>
      expect(parsed['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      expect(parsed['level']).not.toBe(60)
      if (parsed['msg'] === 'request') expect(parsed['requestId']).toMatch(/^[0-9a-f-]{36}$/)
    }
  })

  it('LG-05 forty places that break tell the outside a request id and the log the rest', async () => {
    const { pool } = server.context.database
    const query = pool.query
    const connect = pool.connect
    const fault =
      'syntax error in select "password_hash" from "account" at db.internal.example:5432 /srv/gatehouse/src/database/database.ts'
    const { clientId } = await relyingParty(server)
    const live = await atLogin(server, { headers: elsewhere() })
    const uid = live.page.url.pathname.split('/')[2] ?? ''
    const csrf = live.page.form('/login').fields.find(({ name }) => name === '_csrf')?.value ?? ''
    const gets = [
      '/account',
      '/account/security',
      '/account/sessions',
      '/account/apps',
      '/account/activity',
      '/reset-password?token=x',
      '/verify-email?token=x',
      '/change-email?token=x',
      '/undo-email?token=x',
      '/report-compromise?token=x',
      '/keep-account?token=x',
      '/login',
      '/signup',
      `/auth?client_id=${clientId}`,
      '/session/end',
      '/dev/inbox',
      '/dev/inbox/x',
      '/account/callback?code=x',
      '/health/ready',
      `/interaction/${uid}/login`,
      `/interaction/${uid}/mfa`,
      `/interaction/${uid}/sign-up`,
      `/interaction/${uid}/consent`,
      `/interaction/${uid}/select-account`,
      `/interaction/${uid}/verify-email`,
      `/auth/${uid}`,
    ]
    const posts = [
      '/forgot-password',
      '/reset-password',
      '/verify-email',
      '/change-email',
      '/undo-email',
      '/report-compromise',
      '/keep-account',
      `/interaction/${uid}/login`,
      `/interaction/${uid}/sign-up`,
      `/interaction/${uid}/verify-email`,
      `/interaction/${uid}/resend`,
      `/interaction/${uid}/consent`,
      `/interaction/${uid}/mfa`,
    ]
    const apis: [string, object][] = [
      ['sign-in/email', { email: 'a@example.org', password: PASSWORD }],
      ['sign-up/email', { name: 'A', email: 'a@example.org', password: PASSWORD }],
      ['resend/verify/email', { email: 'a@example.org' }],
      [
        'verify/email',
        {
          code: '123456',
          userId: crypto.randomUUID(),
          tokenId: crypto.randomUUID(),
          email: 'a@example.org',
        },
      ],
    ]
    pool.query = () => Promise.reject(new Error(fault))
    pool.connect = ((callback?: (error: Error) => void) =>
      callback ? callback(new Error(fault)) : Promise.reject(new Error(fault))) as never
    const seen: { path: string; status: number; text: string; id: string | null }[] = []
    try {
      const keep = async (path: string, answer: Response) =>
        seen.push({
          path,
          status: answer.status,
          text: `${await answer.text()}${[...answer.headers].join()}`,
          id: answer.headers.get('x-request-id'),
        })
      for (const path of gets)
        await keep(path, (await live.copy({ headers: elsewhere() }).visit(path)).response)
      for (const path of posts) {
        const form = {
          _csrf: csrf,
          token: 'x',
          email: 'a@example.org',
          username: 'a@example.org',
          password: PASSWORD,
          name: 'A',
          code: '123456',
          decision: 'allow',
        }
        await keep(path, (await live.copy({ headers: elsewhere() }).post(path, form)).response)
      }
      for (const [path, body] of apis)
        await keep(
          path,
          await send(`${server.origin}/api/auth/${path}`, {
            method: 'POST',
            headers: { ...elsewhere(), 'content-type': 'application/json' },
            body: JSON.stringify(body),
          }),
        )
      const basic = {
        authorization: `Basic ${btoa('x:y')}`,
        'content-type': 'application/x-www-form-urlencoded',
      }
      for (const path of ['/token', '/token/introspection', '/token/revocation'])
        await keep(
          path,
          await send(`${server.origin}${path}`, {
            method: 'POST',
            headers: basic,
            body: 'grant_type=refresh_token&refresh_token=x&token=x',
          }),
        )
    } finally {
      pool.query = query
      pool.connect = connect
    }
    const broken = seen.filter(({ status }) => status >= 500)
    expect(broken.length).toBeGreaterThanOrEqual(20)
    expect(seen.length).toBeGreaterThanOrEqual(40)
    for (const { path, text, id } of seen) {
      expect({
        path,
        isTold:
          /password_hash|db\.internal|syntax error|\/srv\/|node_modules|\.ts:\d|at \w+ \(/.test(
            text,
          ),
      }).toEqual({
        path,
        isTold: false,
      })
      expect(id).toMatch(/^[0-9a-f-]{36}$/)
    }
    for (const { id } of broken) if (id) expect(kept.text()).toContain(id)
    expect(kept.text()).toContain('db.internal.example')
  })

  it('LG-06 a request that dies, a socket that breaks and a handler that throws leave the server serving', async () => {
    const { connect } = await import('node:net')
    for (const bytes of [
      'POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc',
      'GET /login HTTP/1.1\r\nHost: x\r\n',
      '\u0000\u0001\u0002',
    ])
      await new Promise<void>((resolve) => {
        const socket = connect(server.address, () => socket.write(bytes, () => socket.destroy()))
        socket.on('close', () => resolve()).on('error', () => resolve())
      })
    expect((await send(`${server.origin}/health/live`)).status).toBe(200)
  })
})
