/** What a browser's `PublicKeyCredential.toJSON()` gives, as far as it is read (WebAuthn 5.1). */
interface CredentialJson {
  readonly id: string
  readonly rawId: string
  readonly type: 'public-key'
}

export interface AssertionJson extends CredentialJson {
  readonly response: {
    readonly clientDataJSON: string
    readonly authenticatorData: string
    readonly signature: string
    readonly userHandle?: string | null | undefined
  }
}

export interface RegistrationJson extends CredentialJson {
  readonly response: {
    readonly clientDataJSON: string
    readonly attestationObject: string
    readonly transports?: readonly string[] | undefined
  }
  readonly clientExtensionResults?: Readonly<Record<string, unknown>> | undefined
}

export interface ClientData {
  readonly type: unknown
  readonly challenge: string
  readonly origin: unknown
  /** Made in a frame of another site. */
  readonly isCrossOrigin: boolean
}

/** Undefined for what no browser sends. */
export function readClientData(encoded: string): ClientData | undefined {
  const said = parse(Buffer.from(encoded, 'base64url').toString('utf8'))
  if (typeof said !== 'object' || said === null) return undefined
  const { type, challenge, origin, crossOrigin, topOrigin } = said as Record<string, unknown>
  if (typeof challenge !== 'string') return undefined
  const isCrossOrigin = (crossOrigin ?? false) !== false || topOrigin !== undefined
  return { type, challenge, origin, isCrossOrigin }
}

/** What the browser says of the credential that it made; undefined where it says nothing. */
export function isDiscoverable({ clientExtensionResults }: RegistrationJson): boolean | undefined {
  const { rk } = (clientExtensionResults?.['credProps'] ?? {}) as { rk?: unknown }
  return typeof rk === 'boolean' ? rk : undefined
}

export function bytesOf(encoded: string): Buffer {
  return Buffer.from(encoded, 'base64url')
}

/** The 16 bytes of the account's id: a handle that says nothing of its person (WebAuthn 14.6.1). */
export function userHandleOf(accountId: string): string {
  return Buffer.from(accountId.replaceAll('-', ''), 'hex').toString('base64url')
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
