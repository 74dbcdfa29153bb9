import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Account, AuditEvent } from '../../src/entities/index.ts'
import { age, api, canRefresh, isAlive, signedIn, startApi, withMfa } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { PASSWORD } from '../support/factories.ts'
import { relyingParty } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'
import { STORAGES } from '../support/storages.ts'

describe.each(STORAGES)('grants in %s', (storage) => {
  let server: TestServer
  beforeAll(async () => {
    server = await startApi({ storage })
  })
  afterAll(() => server.stop())

  describe('the profile', () => {
    const edit = (body: unknown, token: string) => api(server, 'PATCH /edit/basic', body, { token })

    it('is changed field by field; null clears, absence keeps', async () => {
      const { token } = await signedIn(server)
      const first = await edit(
        {
          name: ' Ada King ',
          image_url: 'https://pictures.example/ada.png',
          phone_number: '+44 20 7946 0000',
        },
        token,
      )
      expect(first).toMatchObject({
        status: 200,
        body: {
          user: {
            name: 'Ada King',
            image_url: 'https://pictures.example/ada.png',
            phone_number: '+442079460000',
          },
        },
      })
      expect((await edit({ phone_number: null }, token)).body.user).toMatchObject({
        name: 'Ada King',
        phone_number: null,
        image_url: expect.stringContaining('ada.png'),
      })
      expect((await edit({ image_url: null }, token)).body.user).toMatchObject({ image_url: null })
      expect((await edit({}, token)).status).toBe(200)
      expect((await edit({ name: null }, token)).status).toBe(400)
    })

    it.each([
      [
        'name',
        ['', '  ', '<b>Ada</b>', 'http://evil.example', 'a\u0000b', 'a\nb', 'x'.repeat(101)],
      ],
      [
        'image_url',
        [
          'http://pictures.example/a.png',
          'javascript:alert(1)',
          'data:image/png;base64,x',
          '//evil',
          'https://u:p@h.example/',
          'x',
        ],
      ],
      ['phone_number', ['123', '+0123456789', 'call me', '+1'.padEnd(40, '2')]],
    ])('refuses a bad %s', async (field, values) => {
      const { token } = await signedIn(server)
      for (const value of values) {
        const { status, body } = await edit({ [field]: value }, token)
        expect({ value, status, field: Object.keys(body.fields ?? {})[0] }).toEqual({
          value,
          status: 400,
          field,
        })
      }
    })

    it('IN-04 nothing else can be assigned', async () => {
      const { token, id } = await signedIn(server)
      for (const field of [
        'id',
        'role',
        'status',
        'email',
        'email_verified',
        'mfa_enabled',
        'created_at',
        'password',
        'password_hash',
        'tenant',
        'credential_version',
      ])
        expect((await edit({ [field]: 'x' }, token)).body).toMatchObject({
          error: 'invalid_input',
          fields: { [field]: 'unknown_field' },
        })
      expect(await server.context.database.em.fork().findOneOrFail(Account, { id })).toMatchObject({
        status: 'active',
        mfaEnabled: false,
      })
    })

    it('CL-03 a picture is on the public web, and its address is stored in its one spelling, with nothing in it that cannot be seen', async () => {
      const { token } = await signedIn(server)
      const bad = [
        'https://127.0.0.1/',
        'https://[::1]/a.png',
        'https://10.0.0.1/a.png',
        'https://localhost/a.png',
        'https://printer.local/a.png',
        'https://pictures/a.png',
        'https://pictures.example:25/a.png',
        'https://pictures.example:6379/a.png',
        'https://user@pictures.example/a.png',
        'https://pictures.example/a.png#x',
        'https://pictures.example/a\u0000b\n.png',
        'https://pictures.example/\u202egnp.exe',
        'https://pictures.example/a\u200fb.png',
      ]
      for (const url of bad) {
        const { status, body } = await edit({ image_url: url }, token)
        expect([url, status, body.fields]).toEqual([url, 400, { image_url: 'invalid_url' }])
      }
      const { body } = await edit(
        { image_url: 'https://Pictures.example:8443/\u00e4.png?s=2' },
        token,
      )
      expect(body.user?.image_url).toBe('https://pictures.example:8443/%C3%A4.png?s=2')
    })
  })

  describe('apps', () => {
    it('CL-06 are listed with what they were allowed, and lose it', async () => {
      const owner = await signedIn(server)
      const app = await relyingParty(server, { name: 'Plant Diary' })
      const browser = new Browser(server.origin)
      await browser.visit(
        app.authorizationUrl({ scope: 'openid profile offline_access', prompt: 'consent' }),
      )
      await browser.submit('/login', { username: owner.email, password: PASSWORD })
      const back = await browser.submit('/consent', {}, { button: 'allow' })
      const tokens = await app.redeem(back.url)

      const { token } = owner
      const { body } = await api(server, 'GET /user/apps', undefined, { token })
      expect(body.apps).toMatchObject([
        {
          client_id: app.clientId,
          name: 'Plant Diary',
          scopes: ['openid', 'profile', 'offline_access'],
        },
      ])
      expect(
        (await api(server, `DELETE /user/apps/${app.clientId}`, undefined, { token })).status,
      ).toBe(204)
      await expect(app.userinfo(tokens.access_token)).rejects.toThrow()
      await expect(app.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({
        error: 'invalid_grant',
      })
      expect((await api(server, 'GET /user/apps', undefined, { token })).body.apps).toEqual([])
      expect(
        (await api(server, `DELETE /user/apps/${app.clientId}`, undefined, { token })).status,
      ).toBe(404)
    })

    it('IN-05 one that only somebody else has allowed is not found', async () => {
      const { token } = await signedIn(server)
      for (const id of ['nobody', '%00', '%2e%2e', 'a'.repeat(300)])
        expect((await api(server, `DELETE /user/apps/${id}`, undefined, { token })).status).toBe(
          404,
        )
    })
  })

  describe('my data', () => {
    it("shows one's own events, newest first, and nobody else's", async () => {
      const [owner, stranger] = [await signedIn(server), await signedIn(server)]
      await server.context.audit.flush()
      const em = server.context.database.em.fork()
      const highest =
        (await em.find(AuditEvent, {}, { orderBy: { seq: 'desc' }, limit: 1 }))[0]?.seq ?? 0
      const at = (index: number) => new Date(Date.now() + 60_000 + index * 1000)
      const row = {
        outcome: 'success' as const,
        detail: { secret: 'not for the list' },
        originDigest: randomBytes(32),
        previousHash: randomBytes(32),
        hash: randomBytes(32),
      }
      for (const [index, { id }] of [owner, stranger, owner].entries())
        em.create(AuditEvent, {
          ...row,
          seq: highest + 1000 + index,
          at: at(index),
          type: `test.${index}`,
          accountId: id,
        })
      await em.flush()
      const { body, text } = await api(server, 'GET /user/activity', undefined, {
        token: owner.token,
      })
      expect(body.events.slice(0, 2).map(({ type }: { type: string }) => type)).toEqual([
        'test.2',
        'test.0',
      ])
      expect(text).not.toContain('test.1')
      expect(Object.keys(body.events[0])).toEqual([
        'at',
        'type',
        'outcome',
        'client_id',
        'session_id',
        'ip',
        'user_agent',
      ])
    })

    it('LG-08 IN-06 is exported whole, without a hash or a secret', async () => {
      const owner = await signedIn(server)
      const { secret, recoveryCodes } = await withMfa(server, owner)
      const { status, body, text } = await api(server, 'GET /user/export', undefined, {
        token: owner.token,
      })
      expect(status).toBe(200)
      expect(Object.keys(body)).toEqual([
        'user',
        'sessions',
        'apps',
        'groups',
        'identities',
        'passkeys',
        'trusted_devices',
        'acceptances',
        'activity',
      ])
      expect(body.user).toMatchObject({
        id: owner.id,
        email: owner.email,
        username: expect.stringMatching(/^ada-lovelace-/),
        locale: null,
        address: null,
      })
      expect(body.sessions).toHaveLength(1)
      for (const hidden of ['argon2', 'hash', secret, ...recoveryCodes, owner.refreshToken])
        expect(text).not.toContain(hidden)
    })
  })

  describe('deleting the account', () => {
    const remove = (token: string, body?: object) => api(server, 'DELETE /user', body, { token })

    it('SE-07 ends everything at once, erases in fourteen days, and the mailed link brings it back', async () => {
      const owner = await signedIn(server)
      const { status, body } = await remove(owner.token)
      expect(status).toBe(202)
      expect(Math.round((Date.parse(body.deletes_at) - Date.now()) / 86_400_000)).toBe(14)
      expect([
        await isAlive(server, owner.token),
        await canRefresh(server, owner.refreshToken),
      ]).toEqual([false, false])
      expect(
        (await api(server, 'POST /sign-in/email', { email: owner.email, password: owner.password }))
          .status,
      ).toBe(401)

      const browser = new Browser(server.origin)
      await browser.visit(await server.inbox.link(owner.email, '/keep-account'))
      await browser.submit('/keep-account')
      expect(
        (await api(server, 'POST /sign-in/email', { email: owner.email, password: owner.password }))
          .status,
      ).toBe(200)
    })

    it('SE-10 needs a fresh sign-in or the password', async () => {
      const owner = await signedIn(server)
      await age(server, owner, 601)
      expect((await remove(owner.token)).body.error).toBe('reauthentication_required')
      expect((await remove(owner.token, { password: 'wrong' })).body.error).toBe(
        'invalid_credentials',
      )
      expect(await isAlive(server, owner.token)).toBe(true)
      expect((await remove(owner.token, { password: owner.password })).status).toBe(202)
    })

    it('50 requests at once are one deletion', async () => {
      const owner = await signedIn(server)
      const answers = await Promise.all(Array.from({ length: 50 }, () => remove(owner.token)))
      expect(answers.filter(({ status }) => ![202, 401].includes(status))).toEqual([])
      expect(answers.some(({ status }) => status === 202)).toBe(true)
      await server.context.worker.drain()
      expect((await server.inbox.mails(owner.email)).length).toBeLessThanOrEqual(3)
    })
  })
})
