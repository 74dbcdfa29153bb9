import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { anyAddress } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { PASSWORD } from '../support/factories.ts'
import { note } from '../support/notes.ts'
import type { RelyingParty } from '../support/relying-party.ts'
import { STORAGES } from '../support/storages.ts'
import type { Instance } from './instance.ts'
import { journey } from './journey.ts'
import { type Checkout, checkOutPrevious } from './previous.ts'
import { World } from './world.ts'

/** Two versions of a whole server are started, on a machine that may be busy. */
const PATIENCE_MS = 180_000

let checkout: Checkout | undefined
beforeAll(async () => {
  checkout = await checkOutPrevious()
  note('upgrade', `from ${checkout.commit}`)
}, PATIENCE_MS)
afterAll(() => checkout?.[Symbol.dispose]())

describe.each(STORAGES)('the previous version and this one on one database and %s', (storage) => {
  let world: World
  let apps: Record<'previous' | 'current', RelyingParty>

  beforeAll(async () => {
    world = await World.prepare(storage, checkout?.root ?? '')
    const { previous, current } = world
    await previous.start()
    world.serve(previous)
    const old = await world.register(previous)
    await journey(world, old, () => undefined)
    // The schema is changed while the previous version serves: nobody notices.
    await underLoad(
      () => current.start(),
      () => journey(world, old, () => undefined),
    )
    apps = { previous: old, current: await world.register(current) }
  }, PATIENCE_MS)
  afterAll(() => world[Symbol.asyncDispose]())

  const noFailure = async () => {
    expect(world.failures).toEqual([])
    await eventually(async () => (await world.undelivered()).join('\n'), '', 30_000)
    expect(world.log.split('\n').filter((line) => /"level":[56]0/.test(line))).toEqual([])
  }

  it('the previous version serves while this one starts and changes the schema', noFailure)

  it.each(['previous', 'current'] as const)(
    'what either begins the other goes on with, step by step, beginning with the %s one',
    async (first) => {
      for (const app of Object.values(apps)) {
        const order = [world[first], first === 'current' ? world.previous : world.current]
        let steps = 0
        await journey(world, app, () => {
          const next = order[steps++ % 2]
          if (next) world.serve(next)
        })
      }
      await noFailure()
    },
    PATIENCE_MS,
  )

  it(
    'both serve many people at once, request by request in turn',
    async () => {
      world.serve(world.previous, world.current)
      const { previous, current } = apps
      const people = [previous, current, previous, current, previous, current]
      await Promise.all(people.map((app) => journey(world, app, () => undefined)))
      await noFailure()
    },
    PATIENCE_MS,
  )

  it.each(['previous', 'current'] as const)(
    'mails and notices of the end of a session that the %s one queues, the other sends',
    async (name) => {
      const queues = world[name]
      const sends = name === 'current' ? world.previous : world.current
      world.serve(queues)
      queues.smtp.script.end = '451 4.3.0 not now'
      queues.apps.status = 503
      const sid = await signUpAndOut(world, apps[name], sends)
      await eventually(
        async () => {
          await world.hurry()
          return sends.apps.heard.includes(sid)
        },
        true,
        30_000,
      )
      queues.smtp.script.end = '250 2.0.0 queued'
      queues.apps.status = 200
      await noFailure()
    },
    PATIENCE_MS,
  )

  it(
    'the previous version goes, comes back to the schema of this one, and goes again, under load',
    async () => {
      const { previous, current } = world
      const changes = async () => {
        world.serve(current)
        await previous.stop()
        await previous.start()
        world.serve(previous)
        await journey(world, apps.current, () => undefined)
        world.serve(current)
        await previous.stop()
      }
      await underLoad(changes, () => journey(world, apps.previous, () => undefined))
      await noFailure()
    },
    PATIENCE_MS,
  )
})

/** Two people come after each other all the while that the work takes. */
async function underLoad(work: () => Promise<void>, person: () => Promise<void>): Promise<void> {
  const over = new AbortController()
  const load = async () => {
    while (!over.signal.aborted) await person()
  }
  await Promise.all([work().finally(() => over.abort()), load(), load()])
}

/** The mail that it needs comes from `sender`. Answers the session's name for the app. */
async function signUpAndOut(world: World, app: RelyingParty, sender: Instance): Promise<string> {
  const email = `leaver.${anyAddress()}@example.org`
  const browser = new Browser(world.origin, { headers: { 'x-forwarded-for': anyAddress() } })
  const login = await browser.visit(app.authorizationUrl())
  await browser.follow(login.links.find(({ pathname }) => pathname.endsWith('/sign-up')) ?? '')
  await browser.submit('/sign-up', { name: 'Grace', email, password: PASSWORD })
  const isSent = async () => {
    await world.hurry()
    return sender.smtp.mails.some(({ to }) => to.includes(email))
  }
  await eventually(isSent, true, 30_000)
  await browser.submit('/verify-email', { code: await world.codeFor(email) })
  const { url } = await browser.submit('/consent', {}, { button: 'allow' })
  const tokens = await app.redeem(url)
  await browser.visit(app.endSessionUrl({ id_token_hint: tokens.id_token ?? '' }))
  await browser.submit('/session/end/confirm')
  return tokens.claims()?.['sid'] as string
}
