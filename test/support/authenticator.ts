import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type {
  AssertionJson,
  RegistrationJson,
} from '../../src/accounts/factors/passkeys/credential.ts'
import type {
  CreationOptions,
  RequestOptions,
} from '../../src/accounts/factors/passkeys/options.ts'
import { type Cbor, cbor } from './cbor.ts'

export type Alg = 'ES256' | 'EdDSA' | 'RS256'

/** What it says of a use: user present, user verified, backup eligible, backed up. */
export interface Flags {
  readonly up: boolean
  readonly uv: boolean
  readonly be: boolean
  readonly bs: boolean
}

export interface Kind {
  readonly alg?: Alg
  readonly flags?: Partial<Flags>
  /** Default: it never counts, as a synced passkey. */
  readonly counts?: boolean
  readonly aaguid?: string
  readonly transports?: readonly string[]
  readonly isDiscoverable?: boolean
}

/** What is made otherwise than an honest browser and authenticator make it. */
export interface Lie {
  readonly clientData?: Readonly<Record<string, unknown>>
  readonly rpId?: string
  readonly flags?: Partial<Flags>
  readonly counter?: number
  readonly credentialId?: Uint8Array
  readonly userHandle?: string | null
  readonly publicKey?: ReadonlyMap<Cbor, Cbor>
  readonly attestation?: Cbor
  readonly format?: string
  /** Changes bytes after they were signed. */
  readonly spoil?: Partial<Record<Part, (bytes: Buffer) => Buffer>>
  /** Members besides, or instead. */
  readonly json?: Readonly<Record<string, unknown>>
}
export type Part = 'clientDataJSON' | 'authenticatorData' | 'signature' | 'attestationObject'

const COSE = { EdDSA: -8, ES256: -7, RS256: -257 } as const
const AT = 0x40

/** An authenticator in software with one credential, and the browser that it is used in. */
export class Authenticator {
  readonly origin: string
  readonly alg: Alg
  readonly credentialId: Buffer = randomBytes(16)
  readonly #kind: Kind
  readonly #flags: Flags
  readonly #key: KeyObject
  readonly #publicKey: KeyObject
  #counter = 0
  #userHandle = ''

  constructor(origin: string, kind: Kind = {}) {
    this.origin = origin
    this.#kind = kind
    this.alg = kind.alg ?? 'ES256'
    this.#flags = { up: true, uv: true, be: true, bs: true, ...kind.flags }
    const { privateKey, publicKey } = keyPair(this.alg)
    this.#key = privateKey
    this.#publicKey = publicKey
  }

  get id(): string {
    return encoded(this.credentialId)
  }

  register(options: CreationOptions, lie: Lie = {}): RegistrationJson {
    const { credentialId = this.credentialId } = lie
    this.#userHandle = options.user.id
    const clientDataJSON = this.#clientData('webauthn.create', options.challenge, lie)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(credentialId.length)
    const authData = Buffer.concat([
      this.#authenticatorData(options.rp.id, lie, AT),
      Buffer.from(
        (this.#kind.aaguid ?? '00000000-0000-0000-0000-000000000000').replaceAll('-', ''),
        'hex',
      ),
      length,
      credentialId,
      cbor(lie.publicKey ?? coseKey(this.#publicKey, this.alg)),
    ])
    const attestationObject = cbor(
      new Map<string, Cbor>([
        ['fmt', lie.format ?? 'none'],
        ['attStmt', lie.attestation ?? new Map()],
        ['authData', spoilt(lie, 'authenticatorData', authData)],
      ]),
    )
    return {
      id: encoded(credentialId),
      rawId: encoded(credentialId),
      type: 'public-key',
      response: {
        clientDataJSON: encoded(spoilt(lie, 'clientDataJSON', clientDataJSON)),
        attestationObject: encoded(spoilt(lie, 'attestationObject', attestationObject)),
        transports: this.#kind.transports ?? ['internal', 'hybrid'],
      },
      clientExtensionResults: { credProps: { rk: this.#kind.isDiscoverable ?? true } },
      ...lie.json,
    }
  }

  /** What is asked for, whichever it is. */
  answer(
    options: CreationOptions | RequestOptions,
    lie: Lie = {},
  ): AssertionJson | RegistrationJson {
    return 'rp' in options ? this.register(options, lie) : this.assert(options, lie)
  }

  assert(options: RequestOptions, lie: Lie = {}): AssertionJson {
    const { credentialId = this.credentialId } = lie
    const userHandle = lie.userHandle === undefined ? this.#userHandle : lie.userHandle
    const clientDataJSON = this.#clientData('webauthn.get', options.challenge, lie)
    const authenticatorData = this.#authenticatorData(options.rpId, lie)
    const signed = Buffer.concat([authenticatorData, sha256(clientDataJSON)])
    const signature = sign(this.alg === 'EdDSA' ? null : 'sha256', signed, this.#key)
    return {
      id: encoded(credentialId),
      rawId: encoded(credentialId),
      type: 'public-key',
      response: {
        clientDataJSON: encoded(spoilt(lie, 'clientDataJSON', clientDataJSON)),
        authenticatorData: encoded(spoilt(lie, 'authenticatorData', authenticatorData)),
        signature: encoded(spoilt(lie, 'signature', signature)),
        userHandle,
      },
      ...lie.json,
    }
  }

  #clientData(type: string, challenge: string, { clientData }: Lie): Buffer {
    const said = { type, challenge, origin: this.origin, crossOrigin: false, ...clientData }
    return Buffer.from(JSON.stringify(said))
  }

  #authenticatorData(rpId: string, lie: Lie, more = 0): Buffer {
    const { up, uv, be, bs } = { ...this.#flags, ...lie.flags }
    if (this.#kind.counts) this.#counter += 1
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(lie.counter ?? this.#counter)
    const flags = (up ? 0x01 : 0) | (uv ? 0x04 : 0) | (be ? 0x08 : 0) | (bs ? 0x10 : 0) | more
    return Buffer.concat([sha256(lie.rpId ?? rpId), Buffer.of(flags), counter])
  }
}

/** A COSE key of a public key (RFC 9053 7.1, RFC 8230 4). */
export function coseKey(key: KeyObject, alg: Alg): Map<Cbor, Cbor> {
  const { x = '', y = '', n = '', e = '' } = key.export({ format: 'jwk' })
  const bytes = (text: string) => Buffer.from(text, 'base64url')
  if (alg === 'EdDSA')
    return new Map<Cbor, Cbor>([
      [1, 1],
      [3, COSE.EdDSA],
      [-1, 6],
      [-2, bytes(x)],
    ])
  if (alg === 'ES256')
    return new Map<Cbor, Cbor>([
      [1, 2],
      [3, COSE.ES256],
      [-1, 1],
      [-2, bytes(x)],
      [-3, bytes(y)],
    ])
  return new Map<Cbor, Cbor>([
    [1, 3],
    [3, COSE.RS256],
    [-1, bytes(n)],
    [-2, bytes(e)],
  ])
}

function keyPair(alg: Alg) {
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519')
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

function spoilt({ spoil }: Lie, part: Part, bytes: Buffer): Buffer {
  return spoil?.[part]?.(Buffer.from(bytes)) ?? bytes
}

function encoded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest()
}
