import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { run, type Settings, settingsFor } from '../support/commands.ts'
import { createAccount } from '../support/factories.ts'
import { enableMfa, signedIn } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

describe('gatehouse account recover', () => {
  let server: TestServer
  let folder = ''
  let env: Settings = {}
  beforeAll(async () => {
    server = await startServer()
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-recover-'))
    env = settingsFor(server, folder)
  })
  afterAll(async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('prints a link that is good once, ends every sign-in, and says in the trail who it was', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const { browser: owner } = await signedIn(server, { account, authenticator })
    const { code, stdout } = await run(['account', 'recover', account.email, '--json'], env)
    expect(code).toBe(0)
    const { link, id } = JSON.parse(stdout) as { link: string; id: string }
    expect(id).toBe(account.id)
    expect((await owner.visit('/account')).h1).toBe('Sign in')

    const person = new Browser(server.origin)
    expect((await person.visit(link)).h1).toBe('Your account can be recovered')
    await person.submit('/recover/link')
    expect((await new Browser(server.origin).visit(link)).status).toBe(400)
    const page = await person.submit('/recover/new', { password: 'twelve quiet otters sail home' })
    expect(page.h1).toBe('Your account is yours again')
    const { rows } = await server.context.database.pool.query<{ detail: object }>(
      `select "detail" from "audit_event" where "account_id" = $1 and "type" = 'recovery_started'`,
      [account.id],
    )
    expect(rows[0]?.detail).toMatchObject({ by: 'operator', user: userInfo().username })
  })

  it('lets it wait on demand, and names what is wrong with a number of hours or an account', async () => {
    const account = await createAccount(server)
    const { stdout } = await run(['account', 'recover', account.id, '--hold', '2', '--json'], env)
    const { link } = JSON.parse(stdout) as { link: string }
    expect((await new Browser(server.origin).visit(link)).status).toBe(400)
    expect((await server.inbox.next(account.email)).subject).toMatch(/Someone is recovering/)
    const wrong = await run(['account', 'recover', account.id, '--hold', '99'], env)
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('0 to 72')])
    const nobody = await run(['account', 'recover', 'nobody@example.org'], env)
    expect([nobody.code, nobody.stdout]).toEqual([1, ''])
    const { email } = await createAccount(server, { status: 'disabled' })
    const closed = await run(['account', 'recover', email], env)
    expect(closed.stderr).toContain('Nobody can sign in to this account')
  })
})
