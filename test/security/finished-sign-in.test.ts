import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { enter, signedIn } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const sql = async (text: string, values: unknown[] = []) =>
  (await server.context.database.pool.query(text, values)).rows
const devices = (id: string) => sql('select from known_device where account_id = $1', [id])
const events = async (id: string, type: string) => {
  await server.context.audit.flush()
  return sql('select from audit_event where account_id = $1 and type = $2', [id, type])
}

async function refuseMail(): Promise<void> {
  await sql(
    `create function refuse() returns trigger language plpgsql as 'begin raise exception ''disk full''; end'`,
  )
  await sql(
    'create trigger refuse before insert on outbox_message for each row execute function refuse()',
  )
}

/** The owner has signed in once; somebody else is about to enter the right password in a new browser. */
async function secondBrowser() {
  const { account } = await signedIn(server)
  const browser = new Browser(server.origin)
  const { pathname } = (await browser.visit('/account')).url
  return {
    account,
    browser,
    resume: pathname.replace('/interaction/', '/auth/').replace(/\/login$/, ''),
  }
}

describe('what does not come about', () => {
  afterEach(async () => {
    Reflect.deleteProperty(server.context.devices, 'arrive')
    await sql('drop function if exists refuse() cascade')
  })

  it('PW-10 TF-12 a reset that overtakes it leaves no session, no known device and no mail about one', async () => {
    const { account, browser, resume } = await secondBrowser()
    const { devices: known, passwords } = server.context
    const arrive = known.arrive.bind(known)
    known.arrive = async (proven, ...browsers) => {
      await passwords.replace(proven.accountId, 'ember quilt nine lantern')
      return arrive(proven, ...browsers)
    }
    expect((await enter(browser, account)).status).toBe(401)
    expect((await browser.visit(resume)).url.pathname).not.toBe('/account')
    expect(await server.context.sessions.list(account.id)).toEqual([])
    expect(await devices(account.id)).toHaveLength(1)
    expect(await events(account.id, 'new_device')).toEqual([])
  })

  it('PW-10 a session waits for a change of credentials that is under way, and is not opened then', async () => {
    const { account } = await signedIn(server)
    const { database, sessions } = server.context
    const now = new Date()
    const proven = {
      amr: ['pwd'],
      acr: undefined,
      secondProvedAt: undefined,
      authenticatedAt: now,
    } as const
    const session = { ...proven, accountId: account.id, door: 'api', isRemembered: true } as const
    const open = (id: string, credentialVersion: number) =>
      sessions.open(
        { ...session, id, credentialVersion, expiresAt: new Date(now.getTime() + 60_000) },
        { ip: '192.0.2.1', userAgent: '', requestId: 'r' },
      )
    const [{ version }] = (await sql(
      'select credential_version as version from account where id = $1',
      [account.id],
    )) as [{ version: number }]
    expect(await open('before', version)).toMatchObject({
      id: 'before',
      account: { id: account.id, email: account.email },
    })
    const change = await database.pool.connect()
    try {
      await change.query('begin')
      await change.query(
        'update account set credential_version = credential_version + 1 where id = $1',
        [account.id],
      )
      const opening = open('during', version)
      expect(
        await Promise.race([
          opening.catch(() => 'refused'),
          new Promise((resolve) => setTimeout(resolve, 300, 'waits')),
        ]),
      ).toBe('waits')
      await change.query('commit')
      await expect(opening).rejects.toMatchObject({ code: 'invalid_credentials' })
    } finally {
      change.release()
    }
    await expect(open('after', version)).rejects.toMatchObject({ code: 'invalid_credentials' })
    expect((await sessions.list(account.id)).map(({ id }) => id)).not.toContain('during')
  })

  it('TF-12 a new device whose owner cannot be told leaves no session either', async () => {
    const { account, browser, resume } = await secondBrowser()
    await refuseMail()
    expect((await enter(browser, account)).status).toBe(500)
    expect((await browser.visit(resume)).url.pathname).not.toBe('/account')
    expect(await server.context.sessions.list(account.id)).toHaveLength(1)
    expect(await devices(account.id)).toHaveLength(1)
    expect(await events(account.id, 'new_device')).toEqual([])
  })

  it('LG-01 a reset or another address that was asked for and could not be stored is not in the trail', async () => {
    const { account } = await signedIn(server)
    const { emailChange, passwordReset } = server.context
    const origin = { ip: '192.0.2.1', userAgent: '', requestId: 'r' }
    await refuseMail()
    await expect(passwordReset.request(account.email, origin)).rejects.toThrow('disk full')
    await expect(emailChange.start(account.id, 'else@example.net', origin)).rejects.toThrow(
      'disk full',
    )
    expect(await events(account.id, 'password_reset_requested')).toEqual([])
    expect(await events(account.id, 'email_change_requested')).toEqual([])
  })
})
