import type { Registered } from '../../src/accounts/factors/passkeys/new-passkey.ts'
import { api, type Json } from './api.ts'
import { Authenticator, type Kind, type Lie } from './authenticator.ts'
import type { Browser, Page } from './browser.ts'
import { createAccount, type NewAccount } from './factories.ts'
import { ORIGIN } from './people.ts'
import type { TestServer } from './server.ts'

type Owner = Pick<TestServer, 'origin' | 'context'>

/** A passkey of an account, straight through the use case: for tests that are about using it. */
export async function givePasskey(
  { origin, context }: Owner,
  account: { readonly id: string; readonly email: string; readonly name: string },
  kind: Kind = {},
  authenticator = new Authenticator(origin, kind),
): Promise<Registered & { authenticator: Authenticator }> {
  const purpose = kind.flags?.uv === false ? 'second' : 'passkey'
  const binding = `test:${account.id}`
  const options = await context.passkeys.creationOptions(account, binding, purpose)
  const registered = await context.passkeys.register(
    { accountId: account.id, credential: authenticator.register(options), binding, purpose },
    ORIGIN,
  )
  return { ...registered, authenticator }
}

/** `POST /sign-in/passkey`, with its options. */
export async function passkeySignIn(server: TestServer, authenticator: Authenticator, lie?: Lie) {
  const { token, publicKey } = (await api(server, 'POST /passkey/options', {})).body
  const credential = authenticator.assert(publicKey, lie)
  return api(server, 'POST /sign-in/passkey', { token, credential })
}

/** Answers the passkey form of the page that a browser shows. */
export function showPasskey(
  browser: Browser,
  authenticator: Authenticator,
  lie?: Lie,
): Promise<Page> {
  return answerPasskeyForm(browser, (options) => authenticator.assert(options, lie))
}

/** Makes one with the passkey form of the page that a browser shows. */
export function makePasskey(
  browser: Browser,
  authenticator = new Authenticator(browser.origin),
): Promise<Page> {
  return answerPasskeyForm(browser, (options) => authenticator.register(options))
}

function answerPasskeyForm(browser: Browser, answer: (options: Json) => unknown): Promise<Page> {
  const form = browser.page.forms.find(({ attributes }) => attributes['data-passkey'])
  if (!form) throw new Error(`no passkey is asked for: ${browser.page.words}`)
  const options = JSON.parse(form.attributes['data-passkey'] ?? '')
  return browser.submit(form, { credential: JSON.stringify(answer(options)) })
}

/** An account with a passkey that has signed in with it through the API. */
export async function passkeyOwner(server: TestServer, account: NewAccount = {}, kind: Kind = {}) {
  const owner = await createAccount(server, account)
  const { authenticator, passkey } = await givePasskey(server, owner, kind)
  const { status, body } = await passkeySignIn(server, authenticator)
  if (status !== 200) throw new Error(`sign-in answered ${status} ${JSON.stringify(body)}`)
  const token = body.access_token as string
  const sessionId = body.session.id as string
  return {
    ...owner,
    authenticator,
    passkeyId: passkey.id,
    token,
    sessionId,
    signedIn: body,
  }
}
