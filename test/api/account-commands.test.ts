import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { CAPS } from '../../src/config/limits.ts'
import { api, startApi } from '../support/api.ts'
import { createAccount } from '../support/factories.ts'
import { operator } from '../support/operator.ts'
import { signedIn } from '../support/people.ts'
import type { TestServer } from '../support/server.ts'

const WRONG = 'wrong wrong wrong'

describe('gatehouse account', () => {
  let server: TestServer
  const shell = operator()
  beforeAll(async () => {
    server = await startApi()
  })
  afterAll(() => server.stop())

  const gatehouse = (...args: string[]) => shell.run(server, ['account', ...args])

  async function eventsOf(accountId: string): Promise<unknown[]> {
    const { rows } = await server.context.database.pool.query<{ type: string; by: string }>(
      `select "type", "detail" ->> 'by' as "by" from "audit_event" where "account_id" = $1 and "detail" ->> 'by' = 'operator' order by "seq"`,
      [accountId],
    )
    return rows.map(({ type }) => type)
  }

  it('list and search go page by page, oldest first, and take no character for a pattern', async () => {
    const people = []
    for (const name of ['Zoë 100% Pager', 'Zoë_Pager', 'Zoë Pager']) {
      const { id } = await createAccount(server, { name })
      people.push(id)
    }
    await server.context.administration.disable(people[1] ?? '')
    const { accountList } = server.context
    const found = async (wanted: object) => {
      const { accounts, hasMore } = await accountList.page({ limit: 50, ...wanted })
      return { ids: accounts.map(({ id }) => id), hasMore }
    }
    const [first = '', second = '', third = ''] = people
    expect(await found({ text: 'ZOË', limit: 2 })).toEqual({ ids: [first, second], hasMore: true })
    expect(await found({ text: 'zoë', after: second })).toEqual({ ids: [third], hasMore: false })
    expect(await found({ text: '100% p' })).toEqual({ ids: [first], hasMore: false })
    expect((await found({ text: 'zoë_' })).ids).toEqual([second])
    expect((await found({ status: 'disabled', text: 'zoë' })).ids).toEqual([second])
    const { email, username } = await server.context.administration.find(third)
    expect((await found({ text: email.toUpperCase() })).ids).toEqual([third])
    expect((await found({ text: username })).ids).toEqual([third])

    const lines = await gatehouse('search', 'zoë', '--limit', '2', '--json')
    const rows = lines.stdout.trim().split('\n')
    expect(rows.map((line) => JSON.parse(line).id)).toEqual([first, second])
    expect(lines.stderr).toBe(`There are more: --after ${second}\n`)
    const table = await gatehouse('list', '--after', second)
    expect(table.stdout).toMatch(
      new RegExp(`^${third}\t${email}\tZoë Pager\t${username}\tactive\t`),
    )
    const wrong = await gatehouse('list', '--limit', '0')
    expect([wrong.code, wrong.stdout]).toEqual([1, ''])
    expect(wrong.stderr).toContain('--limit: must be a number from 1 to 1000')
    const gone = await gatehouse('list', '--after', crypto.randomUUID())
    expect(gone.stderr).toContain('begin again without --after')
  })

  it('RL-03 unlock lets a person in again who is locked out at the address and in a known browser', async () => {
    const { browser, account } = await signedIn(server)
    const { email, password, id } = account
    await browser.visit('/account')
    await browser.submit('/account/sign-out')
    const inBrowser = async (typed: string) => {
      await browser.visit('/account')
      return browser.submit('/login', { username: email, password: typed })
    }
    const signInStatus = async () =>
      (await api(server, 'POST /sign-in/email', { email, password })).status
    for (let index = 0; index < CAPS.passwordFailures; index += 1) {
      await inBrowser(WRONG)
      await api(server, 'POST /sign-in/email', { email, password: WRONG })
    }
    expect((await inBrowser(password)).status).toBe(429)
    expect(await signInStatus()).toBe(429)

    const unlocked = await gatehouse('unlock', email)
    expect([unlocked.code, unlocked.stdout]).toEqual([0, `${email} is unlocked.\n`])
    expect(await signInStatus()).toBe(200)
    expect((await inBrowser(password)).status).toBe(200)
    expect(await eventsOf(id)).toEqual(['account_unlocked'])
    const again = await gatehouse('unlock', id, '--json')
    expect(JSON.parse(again.stdout)).toEqual({ id, email, changed: false })
    expect(await eventsOf(id)).toEqual(['account_unlocked'])
  })

  it('LG-08 export writes what the person gets, for the eyes of the operator, over no other file', async () => {
    const { id, email } = await createAccount(server)
    const file = join(shell.folder, 'person.json')
    const { code, stdout } = await gatehouse('export', email, '--out', file)
    expect([code, stdout]).toEqual([0, `What is kept about ${email} is in ${file}.\n`])
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const text = await readFile(file, 'utf8')
    expect(JSON.parse(text)).toMatchObject({ user: { id, email }, sessions: [] })
    expect(text).not.toMatch(/argon2|hash/i)
    expect(await eventsOf(id)).toEqual(['data_exported'])
    const twice = await gatehouse('export', email, '--out', file)
    expect(twice.stderr).toContain(`--out: ${file} is there already`)
    expect(await readFile(file, 'utf8')).toBe(text)
    const nobody = await gatehouse('export', 'nobody@example.org')
    expect([nobody.code, nobody.stdout]).toEqual([1, ''])
  })
})
