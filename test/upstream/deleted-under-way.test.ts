import { describe, expect, it } from '@jest/globals'
import pg from 'pg'
import type { Browser } from '../support/browser.ts'
import { sqlOf, useDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount } from '../support/factories.ts'
import { enter } from '../support/people.ts'
import {
  atLogin,
  comeBy,
  honestBefore,
  landingOf,
  leaveFor,
  somebody,
} from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { createIdentity, createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

/** What a browser does at the moment of the race. */
type Move = () => Promise<{ readonly status: number }>

describe('a provider is deleted while fifty people come by it', () => {
  const database = useDatabase()
  const server = useServer({
    database,
    outgoing: TO_LOOPBACK,
    config: { trustedProxyHops: 1 },
    signIn: { methods: ['password', 'email-code'] },
  })
  const op = HostileOp.use()
  honestBefore(op, { email_verified: true })
  const sql = sqlOf(server)
  const times = async <T>(count: number, make: () => Promise<T>): Promise<T[]> => {
    const made: T[] = []
    while (made.length < count) made.push(await make())
    return made
  }

  /** Ready once the server has heard of it. */
  async function offer(id: string): Promise<void> {
    await createProvider(server, { id, issuer: op.issuer, settings: { emailTrust: 'claim' } })
    await eventually(async () => (await server.context.providers.find(id))?.id, id)
  }

  /** All that there is of a provider, and of the people who come by it. */
  const left = (id: string) =>
    sql(
      `select 'provider' as of, id::text from provider where id = $1
        union all select 'identity', id::text from identity where provider_id = $1
        union all select 'flow', expires_at::text from upstream_flow where provider_id = $1
        union all select 'arrival', id::text from upstream_arrival where provider_id = $1
        order by 1, 2`,
      [id],
    )

  /** A transaction that has come so far, and no further until it is taken back. */
  async function holding(statement: string) {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    await client.query('begin')
    await client.query(statement)
    return { end: () => client.query('rollback'), [Symbol.asyncDispose]: () => client.end() }
  }

  /** Back from the provider, and not yet told what that leads to. */
  async function arriving(id: string): Promise<Move> {
    const browser = await atLogin(server)
    const back = await op.authorize(await leaveFor(browser, id))
    const next = await landingOf(browser, back)
    expect(next).toContain('/arrive?of=')
    return () => browser.visit(next)
  }

  async function newcomer(id: string): Promise<Move> {
    op.person = somebody({ email_verified: true })
    return arriving(id)
  }

  /** Comes by it already, and connects another account of theirs over there. */
  async function connecting(id: string): Promise<Move> {
    const account = await createAccount(server)
    await createIdentity(server, account.id, { issuer: op.issuer, person: somebody() }, id)
    op.person = somebody({ email: account.email, email_verified: true })
    const browser = await atLogin(server)
    await comeBy(browser, op, id)
    await enter(browser, account)
    expect(browser.page.url.pathname).toMatch(/\/connect$/)
    return () => browser.submit('/connect', {}, { button: 'connect' })
  }

  async function owner(id: string): Promise<Move> {
    const account = await createAccount(server)
    op.person = somebody({ email: account.email, email_verified: true })
    await createIdentity(server, account.id, op, id)
    return arriving(id)
  }

  /** Presses the button at that moment. */
  async function beginning(id: string): Promise<Move> {
    const browser: Browser = await atLogin(server)
    return () => browser.submit(`/upstream/${id}`)
  }

  it.each(['one', 'two', 'three'])(
    'everybody is answered, nothing is left of it, and nobody is without a way in (%s)',
    async (id) => {
      await offer(id)
      const moves = await times(15, () => newcomer(id))
      moves.push(...(await times(15, () => connecting(id))))
      moves.push(...(await times(10, () => owner(id))))
      moves.push(...(await times(10, () => beginning(id))))
      const mixed = moves.map((move, index) => ({ move, at: (index * 7) % moves.length }))
      mixed.sort((one, other) => one.at - other.at)
      const first = mixed.slice(0, 25).map(({ move }) => move())
      const removal = server.context.providerRemoval.remove(id, { movesPeople: true })
      const second = mixed.slice(25).map(({ move }) => move())
      const pages = await Promise.all([...first, ...second])
      // 503: on a busy machine somebody waits for a lock longer than two seconds, and may come again.
      const faults = pages.filter(({ status }) => status >= 500 && status !== 503)
      expect(faults.map(({ status }) => status)).toEqual([])
      expect(await removal).not.toHaveProperty('refusal')
      expect(await left(id)).toEqual([])
      const { people, identities } = await removal
      expect(
        await sql(
          `select (detail->>'people')::int as people, (detail->>'identities')::int as identities
             from audit_event where type = 'provider_deleted' and detail->>'provider' = $1`,
          [id],
        ),
      ).toEqual([{ people, identities }])
      // Whose only way in it was has a proven address, to which codes go.
      expect(
        await sql(
          `select id from account where password_hash is null and email_verified_at is null`,
        ),
      ).toEqual([])
    },
  )

  it('nothing is changed where somebody does not come to an end', async () => {
    await offer('four')
    const joins = await newcomer('four')
    await owner('four')
    await using slow = await holding(`delete from upstream_arrival where provider_id = 'four'`)
    const before = await left('four')
    const remove = () => server.context.providerRemoval.remove('four', { movesPeople: true })
    expect(await remove()).toEqual({ refusal: 'busy', identities: 1, people: 1 })
    expect(await left('four')).toEqual(before)
    await slow.end()
    expect((await joins()).status).toBe(200)
    expect(await remove()).toEqual({ identities: 2, people: 2 })
    expect(await left('four')).toEqual([])
  })

  it('who joins after the people were counted is moved to codes as well', async () => {
    await offer('five')
    await (await owner('five'))()
    await using slow = await holding(`select from session where provider_id = 'five' for update`)
    const removal = server.context.providerRemoval.remove('five', { movesPeople: true })
    const waiting = `select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`
    await eventually(async () => (await sql(waiting))[0]?.['count'], 1)
    const late = await createAccount(server)
    await createIdentity(server, late.id, { issuer: op.issuer, person: somebody() }, 'five')
    await slow.end()
    expect(await removal).toEqual({ identities: 2, people: 2 })
    expect(await left('five')).toEqual([])
    expect((await server.inbox.next(late.email)).text).toContain('no longer uses')
  })

  it('of two operators who delete it at once one does', async () => {
    await offer('six')
    await owner('six')
    const remove = () => server.context.providerRemoval.remove('six', { movesPeople: true })
    const outcomes = await Promise.allSettled([remove(), remove()])
    expect(outcomes.toSorted((one, other) => one.status.localeCompare(other.status))).toEqual([
      { status: 'fulfilled', value: { identities: 1, people: 1 } },
      { status: 'rejected', reason: expect.objectContaining({ code: 'not_found' }) },
    ])
    expect(
      await sql(
        `select from audit_event where type = 'provider_deleted' and detail->>'provider' = 'six'`,
      ),
    ).toHaveLength(1)
  })
})
