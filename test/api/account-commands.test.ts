import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { CAPS } from '../../src/config/limits.ts'
import { AppError } from '../../src/errors.ts'
import { api } from '../support/api.ts'
import { createAccount } from '../support/factories.ts'
import { operator } from '../support/operator.ts'
import { ORIGIN, signedIn } from '../support/people.ts'
import { useApi } from '../support/use-server.ts'

const NEW = 'ember quilt nine lantern'
const WRONG = 'wrong wrong wrong'

describe('gatehouse account', () => {
  const server = useApi()
  const shell = operator()

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

  it('reset mails or prints a link that sets a password once, and changes nothing before', async () => {
    const { id, email, password } = await createAccount(server)
    const mailed = await gatehouse('reset', email)
    expect([mailed.code, mailed.stdout]).toEqual([0, `A link is on its way to ${email}.\n`])
    expect((await server.inbox.next(email)).text).toContain('/reset-password?token=')
    const printed = await gatehouse('reset', id, '--print', '--json')
    const { link } = JSON.parse(printed.stdout) as { link: string }
    expect((await api(server, 'POST /sign-in/email', { email, password })).status).toBe(200)
    const secret = new URL(link).searchParams.get('token') ?? ''
    const set = () => server.context.passwordReset.completeByLink({ secret, password: NEW }, ORIGIN)
    await set()
    await expect(set()).rejects.toThrow(AppError)
    expect((await api(server, 'POST /sign-in/email', { email, password: NEW })).status).toBe(200)
    expect(await eventsOf(id)).toEqual(['password_reset_requested', 'password_reset_requested'])

    const { email: closed } = await createAccount(server, { status: 'disabled' })
    const refused = await gatehouse('reset', closed)
    expect([refused.code, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toContain('Nobody can sign in to this account')
  })

  it('LG-08 delete wants --yes, leaves the owner the way back, and erases at once with --now', async () => {
    const { id, email } = await createAccount(server)
    const { administration, deletion } = server.context
    const unsure = await gatehouse('delete', email, '--now')
    expect([unsure.code, unsure.stderr]).toEqual([1, expect.stringContaining('Nothing was done')])
    expect((await administration.find(id)).status).toBe('active')

    const { stdout } = await gatehouse('delete', email, '--yes', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ id, email, state: 'deleting' })
    const { text } = await server.inbox.next(email)
    const [, secret = ''] = /\/keep-account\?token=([\w-]+)/.exec(text) ?? []
    await deletion.undo(secret)
    expect((await administration.find(id)).status).toBe('active')

    await administration.disable(id)
    const disabled = await gatehouse('delete', id, '--yes')
    expect([disabled.code, disabled.stdout]).toEqual([1, ''])
    expect(disabled.stderr).toContain('With --now it is erased at once')
    expect((await administration.find(id)).status).toBe('disabled')

    const { browser, account } = await signedIn(server)
    const erased = await gatehouse('delete', account.email, '--yes', '--now')
    expect([erased.code, erased.stdout]).toEqual([0, `${account.email} is erased.\n`])
    expect((await browser.visit('/account')).h1).toBe('Sign in')
    await expect(administration.find(account.id)).rejects.toThrow(AppError)
    expect(await eventsOf(account.id)).toEqual(['deletion_requested', 'account_erased'])
    expect((await gatehouse('delete', id, '--yes', '--now')).code).toBe(0)
    expect(await eventsOf(id)).toEqual([
      'deletion_requested',
      'account_disabled',
      'deletion_requested',
      'account_erased',
    ])
  })

  it('create makes an account without a password, whose owner comes in by the link', async () => {
    const email = 'grace.new@example.org'
    const words = ['create', 'Grace.New@Example.org', '--name', 'Grace Newcomer']
    const made = await gatehouse(...words, '--locale', 'de')
    expect([made.code, made.stdout]).toEqual([
      0,
      `${email} has an account now, with the user name grace-newcomer. A mail is on its way.\n`,
    ])
    const { administration, accountCreation } = server.context
    const { id } = await administration.find(email)
    expect(await eventsOf(id)).toEqual(['account_created'])
    const { subject, text } = await server.inbox.next(email)
    expect(subject).toContain('Für Sie wurde ein Konto')
    expect(text).not.toMatch(/\b\d{3} \d{3}\b/)
    expect(text).toContain(`${server.config.issuer}/forgot-password`)
    const [, secret = ''] = /\/reset-password\?token=([\w-]+)/.exec(text) ?? []
    await server.context.passwordReset.completeByLink({ secret, password: NEW }, ORIGIN)
    expect((await api(server, 'POST /sign-in/email', { email, password: NEW })).status).toBe(200)

    const twice = await gatehouse(...words)
    expect([twice.code, twice.stdout]).toEqual([1, ''])
    expect(twice.stderr).toContain('email: has an account already')

    const second = ['create', 'g2@example.org', '--name', 'Grace Newcomer', '--print', '--json']
    const printed = await gatehouse(...second)
    const other = JSON.parse(printed.stdout) as { link: string; username: string }
    expect(other.link).toContain('/reset-password?token=')
    expect(other.username).toMatch(/^grace-newcomer-[0-9a-z]{4}$/)

    const make = (fields: object) =>
      accountCreation.create({ name: 'Grace', email: 'g3@example.org', ...fields })
    const reasonOf = (fields: object) =>
      make(fields).catch((error: AppError) => error.details.fields)
    expect(await reasonOf({ username: 'Grace-Newcomer' })).toEqual({ username: 'given_username' })
    expect(await reasonOf({ username: 'root' })).toEqual({ username: 'reserved_username' })
    expect(await reasonOf({ name: '<b>', email: 'none', locale: '?' })).toEqual({
      name: 'invalid_name',
      email: 'invalid_email',
      locale: 'invalid_locale',
    })
    const { account } = await make({ username: 'Grace.H' })
    expect((await administration.find(account.id)).username).toBe('grace.h')
  })

  it.each([
    ['list', '--after', 'abc'],
    ['list', '--limit', '1e3'],
    ['search', 'x', '--after', 'abc'],
    ['show', 'abc'],
    ['username', 'abc', 'ada'],
    ['recover', 'abc'],
    ['recover', 'abc', '--hold', '1.5'],
    ['create', 'a@example.org', '--name', 'x'.repeat(300), '--username', 'y'.repeat(300)],
    ['create', 'a@example.org', '--name', 'Ada', '--locale', 'z'.repeat(300)],
    ['create', `${'a'.repeat(300)}@example.org`, '--name', 'Ada'],
  ])('says what is wrong with %s %s %s, and shows no stack', async (...words) => {
    const { code, stdout, stderr } = await gatehouse(...words)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^.{10,200}\n(.{10,200}\n)?$/)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  it('list and search say in their help what --json prints', async () => {
    for (const word of ['list', 'search'])
      expect((await gatehouse(word, '--help')).stdout).toContain('one a line')
  })

  it('gives of twenty accounts of one name at once each a user name of its own', async () => {
    const { accountCreation, administration } = server.context
    const names = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const email = `twin.${index}@example.org`
        await accountCreation.create({ name: 'Twin Person', email })
        return (await administration.find(email)).username
      }),
    )
    expect(new Set(names).size).toBe(20)
    expect(names.filter((name) => name === 'twin-person')).toHaveLength(1)
  })
})
