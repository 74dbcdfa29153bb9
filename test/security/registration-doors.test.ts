import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { CanonicalEmail } from '../../src/accounts/canonical-email.ts'
import type { RegistrationMode } from '../../src/config/registration-modes.ts'
import { Account } from '../../src/entities/index.ts'
import { AppError } from '../../src/errors.ts'
import { api, startApi } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount, createClient, PASSWORD } from '../support/factories.ts'
import { relyingParty } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'
import { sourcesOf } from '../support/sources.ts'

let database: TestDatabase
/** Where everybody may register, and the same server after the operator has thought again. */
let open: TestServer
const strict = {} as Record<Exclude<RegistrationMode, 'open'>, TestServer>
const MODES = ['domains', 'invite', 'closed'] as const

beforeAll(async () => {
  database = await createDatabase()
  open = await startApi({ database })
  for (const mode of MODES) {
    const registration = { mode, domains: ['corp.example'], showsDomains: false }
    strict[mode] = await startApi({ database, config: { registration } })
  }
})
afterAll(async () => {
  for (const server of [open, ...Object.values(strict)]) await server.stop()
  await database.drop()
})

let made = 0
const someone = (domain = 'example.org') => `grace.${++made}@${domain}`
const wanted = (email: string) => ({ name: 'Grace Hopper', email, password: PASSWORD })

/** What a refused person is answered, whichever door it was. */
interface Answer {
  readonly status: number
  readonly said: string
}

/** A door as somebody tries it who was let in as far as the server let everybody. */
type Door = (server: TestServer, email: string) => Promise<Answer>

const apiAnswer = ({ status, body }: { status: number; body: { error?: string } }): Answer => ({
  status,
  said: body.error ?? '',
})
const REFUSED = { status: 403, said: 'registration_closed' }

async function begin(email: string) {
  const { body } = await api(open, 'POST /sign-up/email', wanted(email))
  return { email, userId: String(body.userId), tokenId: String(body.tokenId) }
}

/** Each file that makes accounts, with the doors that lead to it. The operator's own are listed too. */
const DOORS: Readonly<Record<string, Readonly<Record<string, Door>> | 'operator'>> = {
  'src/accounts/identities/joining.ts': {
    'the identity of another provider': async (server, email) => {
      const person = { issuer: 'https://op.example', subject: email }
      const arrived = { id: crypto.randomUUID(), providerId: 'op', person } as never
      const member = { email: email as CanonicalEmail, name: 'Grace Hopper', locale: 'en' }
      const origin = { ip: '192.0.2.1', userAgent: '', requestId: 'test' }
      const { code, status } = await server.context.joining
        .open(arrived, member, origin)
        .then(() => new AppError('internal_error'))
        .catch((error: AppError) => error)
      // Nobody has arrived: who is admitted gets as far as that.
      return code === 'interaction_expired' ? { status: 200, said: '' } : { status, said: code }
    },
  },
  'src/accounts/registration/account-creation.ts': 'operator',
  'src/accounts/sign-up-proof.ts': {
    'the form': async (server, email) => {
      const browser = new Browser(server.origin)
      await browser.visit('/signup')
      const at = browser.page.url.pathname
      // Where there is no form, one of another page has the token.
      const login = await browser.follow(`${at}/login`)
      const token = login.form().fields.find(({ name }) => name === '_csrf')?.value ?? ''
      const page = await browser.post(`${at}/sign-up`, { _csrf: token, ...wanted(email) })
      return {
        status: page.status,
        said: /cannot be created|not made here|by invitation/.test(page.words)
          ? REFUSED.said
          : page.words,
      }
    },
    'the sign-up of the API': async (server, email) =>
      apiAnswer(await api(server, 'POST /sign-up/email', wanted(email))),
    'the invited sign-up of the API': async (server, email) => {
      // One that opens `invite` would be no test of the door: it is for another address.
      const made = { email: someone() as CanonicalEmail, isMailed: false, seconds: 3600 }
      const { link } = await open.context.invitations.create(made)
      const invitation = new URL(link ?? '').searchParams.get('token')
      const body = { ...wanted(email), invitation }
      const { status, body: said } = await api(server, 'POST /sign-up/invited', body)
      return said.fields?.email === 'not_invited' ? REFUSED : apiAnswer({ status, body: said })
    },
    'the code of a sign-up from before': async (server, email) => {
      const begun = await begin(email)
      const code = await open.inbox.code(email)
      return apiAnswer(await api(server, 'POST /verify/email', { ...begun, code }))
    },
    'the link of a sign-up from before': async (server, email) => {
      await begin(email)
      const link = await open.inbox.link(email, '/verify-email')
      const browser = new Browser(server.origin)
      await browser.visit(`${link.pathname}${link.search}`)
      const page = await browser.submit('/verify-email', { password: PASSWORD })
      return {
        status: page.status,
        said: page.words.includes('cannot be created') ? REFUSED.said : page.words,
      }
    },
  },
  'src/seed.ts': 'operator',
}

const doors = Object.values(DOORS).flatMap((each) =>
  each === 'operator' ? [] : Object.entries(each),
)

const count = (email: string) => open.context.database.em.fork().count(Account, { email })

describe('every door that makes an account', () => {
  const src = sourcesOf('src/**/*.ts')
  const filesWith = (pattern: RegExp) =>
    src.filter(({ code }) => pattern.test(code)).map(({ path }) => path)

  it('is in the table of this test', () => {
    const PLACE = 'src/accounts/registration/make-account.ts'
    expect(filesWith(/\bmakeAccount\(/).filter((path) => path !== PLACE)).toEqual(
      Object.keys(DOORS),
    )
    expect(filesWith(/(?:create|insert)\(Account\b|insert into "account"/)).toEqual([PLACE])
  })

  it('asks who may register, unless it is the operator who opens it', () => {
    const ofOperator = Object.keys(DOORS).filter((path) => DOORS[path] === 'operator')
    expect(filesWith(/\.byOperator\(/)).toEqual(ofOperator)
    expect(filesWith(/\badmitTo\(/)).toEqual(
      expect.arrayContaining(Object.keys(DOORS).filter((path) => !ofOperator.includes(path))),
    )
  })

  it.each(doors)('%s is open where everybody may register', async (name, door) => {
    const email = someone()
    const { status } = await door(open, email)
    expect(status).toBeLessThan(300)
    if (name.includes('before')) expect(await count(email)).toBe(1)
  })

  it.each(doors)(
    '%s refuses alike by each rule, whether or not there is an account',
    async (name, door) => {
      for (const mode of MODES) {
        const email = someone()
        expect([mode, await door(strict[mode], email)]).toEqual([mode, REFUSED])
        expect(await count(email)).toBe(0)
        // Its own sign-up would have told the owner by mail.
        if (name.includes('before')) continue
        const known = await createAccount(open)
        expect([mode, await door(strict[mode], known.email)]).toEqual([mode, REFUSED])
        await open.context.worker.drain()
        expect(await open.inbox.mails(known.email)).toEqual([])
      }
    },
  )

  it.each(doors)('%s admits an address of the domains', async (_name, door) => {
    expect((await door(strict.domains, someone('corp.example'))).status).toBeLessThan(300)
    for (const mode of ['invite', 'closed'] as const)
      expect(await door(strict[mode], someone('corp.example'))).toEqual(REFUSED)
  })
})

describe('the rule of domains', () => {
  const signUp = async (email: string) =>
    (await api(strict.domains, 'POST /sign-up/email', wanted(email))).body.error

  it.each([
    'a@corp.example.evil.example',
    'a@sub.corp.example',
    'a@xcorp.example',
    'a@cörp.example',
    'a@соrp.example',
    'a@corp.example.',
    'a@corp.exampl',
    'corp.example@example.org',
  ])('does not admit %s', async (email) => {
    expect(['registration_closed', 'invalid_input']).toContain(await signUp(email))
  })

  it.each(['Grace@CORP.Example', 'g@ｃｏｒｐ.example', ' h@corp.example '])(
    'admits %s, which is an address of the domain',
    async (email) => {
      expect(await signUp(email)).toBeUndefined()
    },
  )

  it('holds a change of address to it, but not of somebody invited', async () => {
    const { emailChange, database: store } = strict.domains.context
    const origin = { ip: '192.0.2.1', userAgent: '', requestId: 'test' }
    const member = await createAccount(open, { email: someone('corp.example') })
    await expect(emailChange.start(member.id, someone(), origin)).rejects.toMatchObject({
      code: 'invalid_input',
      details: { fields: { email: 'not_admitted' } },
    })
    const within = emailChange.start(member.id, someone('corp.example'), origin)
    await expect(within).resolves.toMatchObject({ expiresInSeconds: 600 })
    await store.em.fork().nativeUpdate(Account, { id: member.id }, { isInvited: true })
    await expect(emailChange.start(member.id, someone(), origin)).resolves.toBeDefined()
  })

  it('holds the code of a change from before to it', async () => {
    const origin = { ip: '192.0.2.1', userAgent: '', requestId: 'test' }
    const account = await createAccount(open)
    const email = someone()
    const begun = await open.context.emailChange.start(account.id, email, origin)
    const code = await open.inbox.code(email)
    const typed = { accountId: account.id, ...begun, code }
    await expect(strict.domains.context.emailChange.complete(typed, origin)).rejects.toMatchObject({
      code: 'invalid_input',
    })
    await expect(strict.invite.context.emailChange.complete(typed, origin)).resolves.toBeDefined()
  })
})

describe('who may not register', () => {
  it('keeps signing in with an account', async () => {
    const account = await createAccount(open)
    const { email, password } = account
    for (const mode of MODES)
      expect((await api(strict[mode], 'POST /sign-in/email', { email, password })).status).toBe(200)
  })

  it.each([
    ['domains', 'certain organizations', true],
    ['invite', 'by invitation only', false],
    ['closed', 'not made here', false],
  ] as const)('is told by %s before anything is typed', async (mode, words, hasForm) => {
    const browser = new Browser(strict[mode].origin)
    const page = await browser.visit('/signup')
    expect(page.words).toContain(words)
    expect(page.words).not.toContain('corp.example')
    expect(page.text.includes('name="password"')).toBe(hasForm)
    const login = await browser.visit('/login')
    expect(login.words.includes('Create an account')).toBe(hasForm)
  })

  it('leaves a line in the audit trail, without the address', async () => {
    const email = someone()
    await api(strict.domains, 'POST /sign-up/email', wanted(email))
    await strict.domains.context.audit.flush()
    const { rows } = await open.context.database.pool.query<{ text: string }>(
      `select row_to_json(e)::text as "text" from "audit_event" e where "type" = 'registration_refused' order by "seq" desc limit 1`,
    )
    expect(rows[0]?.text).toContain('"reason": "domains"')
    expect(rows[0]?.text).not.toContain(email)
  })
})

describe('an app', () => {
  it('may admit fewer people than the server, and never more', async () => {
    const strictApp = { firstParty: true, registration: 'closed' } as const
    const inOpen = await relyingParty(open, strictApp)
    const browser = new Browser(open.origin)
    const closed = await browser.visit(inOpen.authorizationUrl({ prompt: 'create' }))
    expect(closed.words).toContain('not made here')

    const wider = await relyingParty(strict.closed, { firstParty: true, registration: 'domains' })
    const same = await new Browser(strict.closed.origin).visit(
      wider.authorizationUrl({ prompt: 'create' }),
    )
    expect(same.words).toContain('not made here')
  })

  it('is remembered to the end of the sign-up', async () => {
    const { clientId } = await createClient(open)
    const email = someone()
    const { signUp, signUpProof } = open.context
    const origin = { ip: '192.0.2.1', userAgent: '', requestId: 'test' }
    const begun = await signUp.start({ ...wanted(email), clientId }, origin)
    const code = await open.inbox.code(email)
    await open.context.clients.update(clientId, { registration: 'invite' })
    const typed = { ...begun, email, code }
    const mode = () => open.context.directory.registrationMode(clientId)
    await eventually(mode, 'invite')
    await expect(signUpProof.byCode(typed)).rejects.toMatchObject({ code: 'registration_closed' })
    await open.context.clients.update(clientId, { registration: 'open' })
    await eventually(mode, undefined)
    await expect(signUpProof.byCode(typed)).resolves.toMatchObject({ email, isInvited: false })
  })
})
