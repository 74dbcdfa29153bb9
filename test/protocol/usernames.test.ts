import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Account } from '../../src/entities/index.ts'
import { anyAddress, api, startApi } from '../support/api.ts'
import { type Cluster, startCluster } from '../support/balancer.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { operator } from '../support/operator.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'

/** Slug and four characters of base 32. */
const given = (slug: string) => new RegExp(`^${slug}-[0-9a-hjkmnp-tv-z]{4}$`)

let server: TestServer
let app: RelyingParty
const shell = operator()
beforeAll(async () => {
  server = await startApi()
  app = await relyingParty(server, { firstParty: true })
})
afterAll(() => server.stop())

const sql = async (text: string, values: unknown[] = []) =>
  (await server.context.database.pool.query(text, values)).rows
const usernameOf = async (email: string) =>
  (await server.context.database.em.fork().findOneOrFail(Account, { email })).username
const gatehouse = (...args: string[]) => shell.run(server, ['account', ...args])

async function signUp(email: string, name: string, at: TestServer = server): Promise<string> {
  const from = anyAddress()
  const started = await api(
    at,
    'POST /sign-up/email',
    { name, email, password: PASSWORD },
    { from },
  )
  const { userId, tokenId } = started.body
  const proof = { userId, tokenId, email, code: await at.inbox.code(email) }
  expect((await api(at, 'POST /verify/email', proof, { from })).status).toBe(200)
  return userId
}

async function claimsOf(email: string, scope = 'openid profile') {
  const browser = new Browser(server.origin)
  await browser.visit(app.authorizationUrl({ scope }))
  const page = await browser.submit('/login', { username: email, password: PASSWORD })
  const tokens = await app.redeem(page.url)
  return app.userinfo(tokens.access_token, tokens.claims()?.sub ?? '')
}

async function erase(id: string) {
  await server.context.deletion.request(id, { ip: '192.0.2.1', userAgent: '', requestId: 'test' })
  await sql(`update account set delete_after = now() - interval '1 second' where id = $1`, [id])
  expect(await server.context.deletion.eraseDue()).toBe(1)
}

describe('preferred_username', () => {
  it('is released by profile, and by nothing else', async () => {
    const { email } = await createAccount(server)
    expect((await claimsOf(email))['preferred_username']).toMatch(given('ada-lovelace'))
    expect(await claimsOf(email, 'openid email phone address')).not.toHaveProperty(
      'preferred_username',
    )
  })

  it('two people of one name, a rename, an erased account, another sign-up: no value twice', async () => {
    const [first, second, third] = ['ada.1@example.org', 'ada.2@example.org', 'ada.3@example.org']
    const id = await signUp(first, 'Ada Byron')
    await signUp(second, 'Ada Byron')
    const names = [await usernameOf(first), await usernameOf(second)]
    expect((await claimsOf(first))['preferred_username']).toBe(names[0])

    expect(await gatehouse('username', first, 'ada')).toEqual({
      code: 0,
      stdout: `${first} has the user name ada now.\n`,
      stderr: '',
    })
    expect((await claimsOf(first))['preferred_username']).toBe('ada')
    await erase(id)
    await signUp(third, 'Ada Byron')
    await signUp(first, 'Ada Byron')
    names.push('ada', await usernameOf(third), await usernameOf(first))
    expect(new Set(names).size).toBe(5)
    expect(names.toSpliced(2, 1)).toEqual(Array(4).fill(expect.stringMatching(given('ada-byron'))))

    for (const name of ['ada', names[0] ?? ''])
      expect(await gatehouse('username', second, name)).toEqual({
        code: 1,
        stdout: '',
        stderr: 'name: is or was the name of an account; none is given twice\n',
      })
    expect(await usernameOf(second)).toBe(names[1])
  })

  it('of an erased account leaves a digest behind, and nothing that names a person', async () => {
    const { id, email } = await createAccount(server, { name: 'Mary Shelley' })
    const username = await usernameOf(email)
    await erase(id)
    expect(
      await sql('select * from given_username where digest = username_digest($1)', [username]),
    ).toEqual([{ digest: expect.stringMatching(/^[0-9a-f]{64}$/) }])
    expect(await sql('select from account where username = $1', [username])).toEqual([])
  })

  it('stays when the person changes the name', async () => {
    const account = await createAccount(server)
    const before = await usernameOf(account.email)
    await server.context.profile.update(account.id, { name: 'Ada King' })
    expect(await usernameOf(account.email)).toBe(before)
  })

  it.each([
    ['Zoë Müller', 'zoe-muller'],
    ['ØRSTED Łukasz Straße', 'orsted-lukasz-strass'],
    ["Grace O'Brien", 'grace-obrien'],
    ['王小明', 'user'],
    ['Ａｄｍｉｎ', 'user'],
    ['root', 'user'],
    ['Administrator!', 'user'],
    ['Iİı', 'iii'],
  ])('is made of the name: %s', async (name, slug) => {
    const { email } = await createAccount(server, { name })
    expect(await usernameOf(email)).toMatch(given(slug))
  })

  it('gets longer where the short ones of a name are taken', async () => {
    await sql(`create or replace function "random_base32"("length" int) returns text language sql volatile as $$
      select case when "length" = 4 then 'aaaa' else substr(md5(random()::text), 1, "length") end $$`)
    const names: string[] = []
    for (let turn = 0; turn < 3; turn += 1)
      names.push(await usernameOf((await createAccount(server, { name: 'Many' })).email))
    expect(names.toSorted((a, b) => a.length - b.length)).toEqual([
      'many-aaaa',
      expect.stringMatching(/^many-[0-9a-f]{8}$/),
      expect.stringMatching(/^many-[0-9a-f]{8}$/),
    ])
  })

  it('is there for a row of the version before, which names none', async () => {
    const [row] = await sql(
      `insert into account (id, name, email, created_at, updated_at) values (gen_random_uuid(), 'Old Row', 'old@example.org', now(), now()) returning username`,
    )
    expect(row.username).toMatch(/^old-row-/)
  })
})

describe('gatehouse account username', () => {
  it.each([
    ['Ada.B_2', 'ada.b_2'],
    ['ｇｒａｃｅ', 'grace'],
  ])('takes %s in its folded spelling', async (typed, username) => {
    const { email, id } = await createAccount(server)
    expect(JSON.parse((await gatehouse('username', email, typed, '--json')).stdout)).toEqual({
      id,
      email,
      username,
    })
    expect(await gatehouse('show', id)).toMatchObject({
      stdout: expect.stringContaining(`\nuser name\t${username}\n`),
    })
    expect(await server.context.usernames.change(id, typed)).toBe(username)
  })

  it.each([
    ['ROOT', 'reserved_username'],
    ['ａｄｍｉｎ', 'reserved_username'],
    ...['', '-ada', 'ada@example.org', 'a b', 'аda', 'a'.repeat(41), 'ada\u200b'].map((name) => [
      name,
      'invalid_username',
    ]),
  ])('refuses %j', async (name, reason) => {
    const { id, email } = await createAccount(server)
    const before = await usernameOf(email)
    await expect(server.context.usernames.change(id, name ?? '')).rejects.toMatchObject({
      details: { fields: { username: reason } },
    })
    expect(await usernameOf(email)).toBe(before)
  })

  it('says why in words', async () => {
    const { email } = await createAccount(server)
    const said = async (name: string) => (await gatehouse('username', email, name)).stderr
    expect([await said('root'), await said('a b'), await said('ada')]).toEqual([
      'name: is a name that software gives power to, or that people take for yours\n',
      'name: must be at most 40 letters, digits, ".", "_" and "-", with a letter or a digit at either end\n',
      'name: is or was the name of an account; none is given twice\n',
    ])
    expect((await gatehouse('username', 'nobody@example.org', 'x')).stderr).toBe(
      'There is no account of that id or address.\n',
    )
  })

  it('gives a name to one of many who get it at once, and says so in the trail', async () => {
    const people = await Promise.all(Array.from({ length: 10 }, () => createAccount(server)))
    const changes = await Promise.allSettled(
      people.map(({ id }) => server.context.usernames.change(id, 'the-one')),
    )
    expect(changes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const [owner] = await sql('select id from account where username = $1', ['the-one'])
    expect(
      await sql(`select type, detail from audit_event where account_id = $1`, [owner.id]),
    ).toEqual([{ type: 'profile_changed', detail: { by: 'operator', fields: ['username'] } }])
  })
})

describe('fifty sign-ups at once with one name, over two instances', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster(2, { config: { trustedProxyHops: 1 } })
  })
  afterAll(() => cluster.stop())

  it('all finish, and each has a name of its own', async () => {
    const [one, two] = cluster.instances
    if (!one || !two) throw new Error('the cluster has two instances')
    await one.context.database.pool.query(`create or replace function "random_base32"("length" int) returns text language sql volatile as $$
      select lpad((floor(random() * 32))::int::text, "length", '0') $$`)
    const emails = Array.from({ length: 50 }, (_, index) => `ada.${index}@example.org`)
    await Promise.all(
      emails.map((email, index) => signUp(email, 'Ada Lovelace', index % 2 ? one : two)),
    )
    const { rows } = await one.context.database.pool.query('select distinct username from account')
    expect(rows).toHaveLength(50)
  })
})
