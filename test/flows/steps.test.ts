import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { dueStep, STEPS } from '../../src/http/interactions/steps.ts'
import type { InteractionState } from '../../src/oidc/interaction-state.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { enableMfa } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

const [FREE, STRICT] = [
  { level: '1fa', takesTrust: false },
  { level: '2fa', takesTrust: false },
] as const
const signUp = { userId: 'u', tokenId: 't', email: 'ada@example.org' }
const mfa = { challenge: 'c', email: 'ada@example.org', isRemembered: false }
const enrol = {
  accountId: 'a',
  amr: ['pwd'],
  isRemembered: false,
  credentialVersion: 1,
  isDone: false,
}

describe('the step that is due', () => {
  it.each([
    ['login', 'login'],
    ['create', 'sign-up'],
    ['select_account', 'select-account'],
    ['consent', 'consent'],
    ['a prompt of another version', 'login'],
  ])('of a browser that comes with the prompt %s is %s', (prompt, name) => {
    expect(dueStep({}, prompt, FREE)).toBe(name)
  })

  it.each<[string, InteractionState]>([
    ['mfa', { mfa }],
    ['mfa', { mfa, signUp }],
    ['mfa', { mfa, enrol }],
    ['verify-email', { signUp }],
    ['verify-email', { signUp, enrol }],
    ['mfa-enrol', { enrol }],
    ['recovery-codes', { enrol: { ...enrol, isDone: true } }],
  ])('is %s after what the person did last', (name, state) => {
    for (const prompt of ['login', 'create', 'consent'])
      expect(dueStep(state, prompt, STRICT)).toBe(name)
  })

  it('TF-11 is no set-up of a second factor where none is demanded any more', () => {
    expect(dueStep({ enrol }, 'login', FREE)).toBe('login')
    expect(dueStep({ enrol: { ...enrol, isDone: true } }, 'login', FREE)).toBe('recovery-codes')
  })

  it('has one row for each path, and there is always one', () => {
    expect(new Set(STEPS.map(({ name }) => name)).size).toBe(STEPS.length)
    expect(STEPS.at(-1)?.isDue({}, '', FREE)).toBe(true)
  })
})

describe('a step whose ground is missing', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  const CLOSED = STEPS.filter(({ isOpen }) => !isOpen).map(({ name }) => name)

  it.each(CLOSED)(
    'TF-06 %s leads to the step that is due, by its page and by its form',
    async (name) => {
      const browser = new Browser(server.origin)
      const { pathname } = (await browser.visit('/account')).url
      const uid = pathname.split('/')[2]
      expect((await browser.visit(`/interaction/${uid}/${name}`)).url.pathname).toBe(
        `/interaction/${uid}/login`,
      )
      const form = browser.page.form('/login')
      const action = new URL(`/interaction/${uid}/${name}`, server.origin)
      const answer = await browser.submit({ ...form, action }, {})
      expect(answer.url.pathname).toBe(`/interaction/${uid}/login`)
    },
  )

  it('TF-06 once a password is proven, the second step is due', async () => {
    const account = await createAccount(server)
    await enableMfa(server, account)
    const browser = new Browser(server.origin)
    await browser.visit('/account')
    await browser.submit('/login', { username: account.email, password: PASSWORD })
    const { pathname } = browser.page.url
    expect(pathname).toMatch(/\/mfa$/)
    expect((await browser.visit(pathname.replace('/mfa', '/recovery-codes'))).url.pathname).toBe(
      pathname,
    )
  })
})
