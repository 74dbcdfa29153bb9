import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startApi } from '../support/api.ts'
import { createAccount, REDIRECT_URI } from '../support/factories.ts'
import { operator } from '../support/operator.ts'
import type { TestServer } from '../support/server.ts'

const RLO = '\u202E'
const web = { name: 'Wiki', redirectUris: [REDIRECT_URI] }

let server: TestServer
const shell = operator()
beforeAll(async () => {
  server = await startApi()
})
afterAll(() => server.stop())

const gatehouse = (...args: string[]) => shell.run(server, ['group', ...args])

describe('gatehouse group', () => {
  it('makes a group, lists it, puts people in by address or id and takes them out', async () => {
    const [ada, bob] = [await createAccount(server), await createAccount(server)]
    expect(
      await gatehouse(
        'create',
        'Editors',
        '--display-name',
        'The editors',
        '--description',
        'Write',
      ),
    ).toEqual({ code: 0, stdout: 'Editors is there, with nobody in it.\n', stderr: '' })
    expect((await gatehouse('add', 'editors', ada.email.toUpperCase())).stdout).toBe(
      `${ada.email} is in Editors now.\n`,
    )
    expect((await gatehouse('add', 'EDITORS', ada.id)).stdout).toBe(
      `${ada.email} is in already: Editors.\n`,
    )
    expect(JSON.parse((await gatehouse('add', 'Editors', bob.id, '--json')).stdout)).toEqual({
      group: 'Editors',
      account: bob.id,
      email: bob.email,
      changed: true,
    })
    expect((await gatehouse('list')).stdout).toBe('Editors\t2\tThe editors\tWrite\n')
    expect(
      (await gatehouse('show', 'editors')).stdout.split('\n').map((row) => row.split('\t')[0]),
    ).toEqual([...[ada.email, bob.email].toSorted(), ''])
    expect((await gatehouse('remove', 'Editors', bob.email)).stdout).toBe(
      `${bob.email} is not in Editors now.\n`,
    )
    expect(JSON.parse((await gatehouse('show', 'Editors', '--json')).stdout)).toMatchObject({
      name: 'Editors',
      display_name: 'The editors',
      members: [{ id: ada.id, email: ada.email }],
    })
    expect((await gatehouse('delete', 'Editors')).stdout).toBe(
      'Editors is deleted; nobody is in it any more.\n',
    )
    expect((await gatehouse('list')).stdout).toBe('')
    const { rows } = await server.context.database.pool.query(
      `select "type", "account_id" as "account", "detail"->>'by' as "by" from "audit_event" where "type" like 'group%' order by "seq"`,
    )
    const by = 'operator'
    expect(rows).toEqual([
      { type: 'group_created', account: null, by },
      { type: 'group_member_added', account: ada.id, by },
      { type: 'group_member_added', account: bob.id, by },
      { type: 'group_member_removed', account: bob.id, by },
      { type: 'group_deleted', account: null, by },
    ])
  })

  it('says what is not there, and what a name may not be', async () => {
    const { groups } = server.context
    expect((await gatehouse('add', 'nobodies', 'ada@example.org')).stderr).toBe(
      'There is no group of that name. "group list" has them all.\n',
    )
    await groups.create({ name: 'here' })
    expect((await gatehouse('add', 'here', 'nobody@example.org')).stderr).toBe(
      'There is no account of that id or address.\n',
    )
    expect((await gatehouse('create', `ad${RLO}mins`)).stderr).toBe(
      'name: contains characters that cannot be shown\n',
    )
    expect((await gatehouse('create', 'HERE')).stderr).toBe(
      'name: is taken by another group; upper and lower case are no difference\n',
    )
    for (const name of ['', ' a', 'a\nb', 'a\u200bb', 'a\u200eb', `${RLO}a`, 'x'.repeat(101)])
      await expect(groups.create({ name })).rejects.toMatchObject({ code: 'invalid_input' })
  })

  it('has one spelling of a name, whoever types it', async () => {
    const { groups } = server.context
    const { name } = await groups.create({ name: 'Cafe\u0301 Crew' })
    expect(name).toBe('Café Crew')
    await expect(groups.create({ name: 'CAFÉ crew' })).rejects.toMatchObject({
      details: { fields: { name: 'group_taken' } },
    })
    expect((await groups.find('cafe\u0301 crew')).name).toBe('Café Crew')
  })

  it('of fifty that make one group at once, one does', async () => {
    const { groups } = server.context
    const tries = Array.from({ length: 50 }, (_, n) =>
      groups.create({ name: n % 2 ? 'race' : 'RACE' }).then(
        () => 1,
        () => 0,
      ),
    )
    expect((await Promise.all(tries)).reduce<number>((sum, one) => sum + one, 0)).toBe(1)
  })

  it('a client names groups that there are, and such a group is not deleted', async () => {
    const { clients, groups } = server.context
    await groups.create({ name: 'Named' })
    await expect(clients.create({ ...web, groups: ['Named', 'none'] })).rejects.toMatchObject({
      details: { fields: { groups: 'unknown_groups' } },
    })
    const { client } = await clients.create({ ...web, groups: ['nameD'] })
    expect((await clients.get(client.id)).registration.groups).toEqual(['Named'])
    const { code, stderr } = await gatehouse('delete', 'named')
    expect([code, stderr]).toEqual([
      1,
      `name: the clients ${client.id} may see it; take it from them first: client update <id> --groups …\n`,
    ])
    await clients.update(client.id, { groups: null })
    await groups.delete('named')
    await expect(groups.find('Named')).rejects.toMatchObject({ code: 'not_found' })
  })

  it('what another source says stays when the operator takes somebody out', async () => {
    const { database, groups, memberships } = server.context
    const [{ id }, account] = [await groups.create({ name: 'synced' }), await createAccount(server)]
    await memberships.add(id, account.id)
    await database.pool.query(
      `insert into "group_member" ("group_id", "account_id", "source", "since") values ($1, $2, 'directory', now())`,
      [id, account.id],
    )
    expect(await memberships.remove(id, account.id)).toBe(true)
    expect(await memberships.namesOf(account.id)).toEqual(['synced'])
  })

  it("LG-08 a person's export names their groups, and the erased are in none", async () => {
    const { accountExport, database, groups, memberships } = server.context
    const [{ id }, account] = [await groups.create({ name: 'mine' }), await createAccount(server)]
    await memberships.add(id, account.id)
    expect((await accountExport.collect(account.id)).groups).toEqual([
      { name: 'mine', since: expect.any(Date) },
    ])
    await database.pool.query('delete from "account" where "id" = $1', [account.id])
    expect(await memberships.membersOf(id)).toEqual([])
  })
})
