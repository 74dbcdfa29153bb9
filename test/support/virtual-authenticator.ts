import type { CDPSession, Page } from 'playwright-core'
import type { NewPasskey } from '../../src/accounts/factors/passkeys/new-passkey.ts'
import { ORIGIN } from './people.ts'
import type { TestServer } from './server.ts'

/** A passkey as the authenticator of another device would have it. */
export interface ExportedPasskey {
  readonly credentialId: string
  readonly isResidentCredential: boolean
  readonly rpId?: string
  readonly privateKey: string
  readonly userHandle?: string
  readonly signCount: number
}

/** An authenticator of a page of Chromium, and the person in front of it. */
export interface VirtualAuthenticator {
  /** Whether the person touches it from the next request on; while they do not, it waits. */
  setPresent(isPresent: boolean): Promise<void>
  /** Whether they pass its screen lock or PIN. */
  setVerified(isVerified: boolean): Promise<void>
  passkeys(): Promise<readonly ExportedPasskey[]>
  /** As a password manager that synced it would have it. */
  add(passkey: ExportedPasskey): Promise<void>
  remove(): Promise<void>
}

export interface AuthenticatorOptions {
  readonly transport?: 'internal' | 'usb'
  /** Default: a device with a screen lock, which the person passes. */
  readonly hasLock?: boolean
  readonly isPresent?: boolean
  readonly isSynced?: boolean
}

/**
 * Gives the page an authenticator (CDP, domain WebAuthn). While the person is present, a request of
 * the autofill is answered at once: what is about the button calls `withoutAutofill` first.
 */
export async function virtualAuthenticator(
  page: Page,
  {
    transport = 'internal',
    hasLock = true,
    isPresent = true,
    isSynced = false,
  }: AuthenticatorOptions = {},
): Promise<VirtualAuthenticator> {
  const cdp = await sessionOf(page)
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport,
      hasResidentKey: true,
      hasUserVerification: hasLock,
      isUserVerified: hasLock,
      automaticPresenceSimulation: isPresent,
      defaultBackupEligibility: isSynced,
      defaultBackupState: isSynced,
    },
  })
  return {
    setPresent: (enabled) =>
      cdp
        .send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled })
        .then(() => undefined),
    setVerified: (isUserVerified) =>
      cdp
        .send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified })
        .then(() => undefined),
    passkeys: async () =>
      (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    add: (credential) =>
      cdp.send('WebAuthn.addCredential', { authenticatorId, credential }).then(() => undefined),
    remove: () =>
      cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId }).then(() => undefined),
  }
}

/** Pages that are opened from now on offer nothing in the address field. */
export async function withoutAutofill(page: Page): Promise<void> {
  await page.addInitScript(
    'if (window.PublicKeyCredential) PublicKeyCredential.isConditionalMediationAvailable = async () => false',
  )
}

const sessions = new WeakMap<Page, Promise<CDPSession>>()

function sessionOf(page: Page): Promise<CDPSession> {
  const open = async (): Promise<CDPSession> => {
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('WebAuthn.enable')
    return cdp
  }
  const session = sessions.get(page) ?? open()
  sessions.set(page, session)
  return session
}

type Owner = Pick<TestServer, 'origin' | 'context'>

/** As if the account had made a passkey in the page's authenticator before; its id. */
export async function givePasskey(
  { origin, context }: Owner,
  page: Page,
  account: { readonly id: string; readonly email: string; readonly name: string },
): Promise<string> {
  const binding = 'test'
  const options = await context.passkeys.creationOptions(account, binding)
  await page.goto(`${origin}/signed-out`)
  const credential = await page.evaluate<NewPasskey['credential']>(
    `navigator.credentials
      .create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(${JSON.stringify(options)}) })
      .then((made) => made.toJSON())`,
  )
  const made = { accountId: account.id, credential, binding, purpose: 'passkey' } as const
  const { passkey } = await context.passkeys.register(made, ORIGIN)
  return passkey.id
}
