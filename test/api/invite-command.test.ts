import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { createClient } from '../support/factories.ts'
import { INVITE_ONLY } from '../support/invitations.ts'
import { operator } from '../support/operator.ts'
import { useApi } from '../support/use-server.ts'

const server = useApi({ config: { registration: INVITE_ONLY } })
const shell = operator()
const gatehouse = (...args: string[]) => shell.run(server, ['invite', ...args])

describe('gatehouse invite', () => {
  it('mails an invitation in the language that is asked for, lists it and takes it back', async () => {
    const { clientId } = await createClient(server)
    const options = ['--client', clientId, '--locale', 'de', '--expires', '12h', '--json']
    const { stdout, code } = await gatehouse('Ada@example.org', ...options)
    expect(code).toBe(0)
    const [made] = JSON.parse(stdout) as [{ id: string; email: string; link: string | null }]
    expect(made).toMatchObject({ email: 'ada@example.org', link: null })
    const mail = await server.inbox.next('ada@example.org')
    expect(mail.subject).toMatch(/^Einladung zu/)
    expect(mail.text).toContain('Plant Diary')
    expect((await gatehouse('list')).stdout).toMatch(`${made.id}\tada@example.org\topen\t0/1\t`)
    expect(await gatehouse('revoke', made.id)).toMatchObject({
      code: 0,
      stdout: `${made.id} is taken back.\n`,
    })
    expect((await gatehouse('list')).stdout).toContain('\trevoked\t')
    expect((await gatehouse('revoke', made.id)).stderr).toContain('is over already')
  })

  it('prints a link that opens, and writes many to a file of the operator alone', async () => {
    const printed = await gatehouse('bob@example.org', '--print')
    expect(printed.stdout).toMatch(/^http:\/\/localhost:\d+\/invitation\?token=[\w-]{43}\n$/)
    expect(await server.inbox.mails('bob@example.org')).toEqual([])

    const file = join(shell.folder, 'codes.csv')
    const many = await gatehouse('--count', '3', '--uses', '2', '--out', file, '--json')
    expect(JSON.parse(many.stdout)).toHaveLength(3)
    expect(many.stdout).not.toContain('token=')
    const [head, ...rows] = readFileSync(file, 'utf8').trimEnd().split('\n')
    expect(head).toBe('id,link,expires_at')
    expect(new Set(rows.map((row) => row.split(',')[1])).size).toBe(3)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const made = (await server.context.invitations.list()).length
    for (const [path, reason] of [
      [file, 'is there already'],
      [join(shell.folder, 'no-such-folder/codes.csv'), 'cannot be written'],
    ] as const) {
      const refused = await gatehouse('--count', '3', '--out', path)
      expect([refused.code, refused.stdout]).toEqual([1, ''])
      expect(refused.stderr).toBe(`--out: ${path} ${reason}\n`)
    }
    expect(await server.context.invitations.list()).toHaveLength(made)
    expect(readFileSync(file, 'utf8')).toContain(rows[0])
  })

  it('shows its help, and invites nobody, where --help follows an address', async () => {
    const { code, stdout } = await gatehouse('carol@example.org', '--help')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Usage: gatehouse invite /)])
    expect(await server.inbox.mails('carol@example.org')).toEqual([])
    expect((await server.context.invitations.list()).map(({ email }) => email)).not.toContain(
      'carol@example.org',
    )
  })

  it('list and revoke answer programs with --json', async () => {
    const { stdout: printed } = await gatehouse('--json')
    const [{ id }] = JSON.parse(printed) as [{ id: string }]
    const { stdout } = await gatehouse('list', '--json')
    expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ id, state: 'open' }))
    const revoked = await gatehouse('revoke', id, '--json')
    expect(JSON.parse(revoked.stdout)).toEqual({ id, state: 'revoked' })
  })

  it.each([
    [['nobody'], 'is no e-mail address'],
    [['a@example.org', '--uses', '2'], 'without an address'],
    [['--expires', '1y'], '--expires'],
    [['--expires', '91d'], '--expires'],
    [['--count', '0'], '--count'],
    [['--client', 'nope'], 'There is no client of that id'],
    [['revoke', '3f0c1f4e-8f59-4c53-9d0e-6f2a0f6f7a11'], 'There is no invitation of that id'],
    [['revoke', 'abc'], 'There is no invitation of that id'],
    [['a@example.org', '--locale', 'x'.repeat(40)], '--locale: must be a language tag'],
  ])('refuses %j with a reason', async (words, reason) => {
    const { code, stdout, stderr } = await gatehouse(...words)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(reason)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })
})
