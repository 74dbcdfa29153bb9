import { randomUUID } from 'node:crypto'
import type { AuditSink } from '../audit/event.ts'
import { randomSecret, sha256 } from '../crypto/token.ts'
import type { EntityManager } from '../database/database.ts'
import type { ClientMetadata } from '../entities/client.ts'
import { Client, Resource } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { announce } from '../feed/changes.ts'
import { type CheckedClient, type ClientInput, parseClient } from './client-input.ts'
import type { Logos } from './logos.ts'
import { keepPicture } from './pictures.ts'
import { DEFAULT_SCOPES, OIDC_SCOPES } from './scopes.ts'

export type { ClientInput }

/** Its logo would be fetched at every start. */
export type BuiltInClient = Omit<ClientInput, 'logoUri'> & { readonly id: string }

/** An API that apps can be registered for. */
export interface OfferedApi {
  readonly identifier: string
  readonly scopes: readonly string[]
}

export interface ClientsDeps {
  readonly em: EntityManager
  readonly logos: Pick<Logos, 'fetch'>
  /** The server's own API, which has no row. */
  readonly accountApi?: OfferedApi
  readonly audit?: AuditSink
}

export interface Registration {
  readonly client: Client
  /** Told once, here; only its digest is kept (TK-07). Absent for clients that have none. */
  readonly secret?: string
}

/** The apps that may use this server. */
export class Clients {
  readonly #em: EntityManager
  readonly #audit: AuditSink | undefined
  readonly #accountApi: OfferedApi | undefined
  readonly #logos: ClientsDeps['logos']

  constructor({ em, audit, accountApi, logos }: ClientsDeps) {
    this.#em = em
    this.#logos = logos
    this.#accountApi = accountApi
    this.#audit = audit
  }

  /** Throws `invalid_input` with the reason for each field. */
  async create(input: ClientInput): Promise<Registration> {
    const wanted = parseClient(input)
    const logo = await this.#logos.fetch(wanted.logoUri)
    return this.#em.fork().transactional(async (tx) => {
      const secret = usesSecret(wanted.authMethod) ? randomSecret() : undefined
      const scopes = await this.#allowedScopes(tx, wanted)
      const client = tx.create(Client, {
        id: randomUUID(),
        ...columns(wanted, scopes),
        secretDigest: secret ? digestOf(secret) : null,
        logo: logo ? await keepPicture(tx, logo) : null,
      })
      await announce(tx, { kind: 'client', id: client.id })
      await this.#audit?.append(tx, { type: 'client_registered', clientId: client.id })
      return secret ? { client, secret } : { client }
    })
  }

  /** Creates or replaces a client without a secret under a fixed id, such as the demo's. */
  async ensure({ id, ...input }: BuiltInClient): Promise<void> {
    const wanted = parseClient(input)
    if (usesSecret(wanted.authMethod))
      throw new AppError('invalid_input', {
        fields: { authMethod: 'a built-in client has no secret' },
      })
    await this.#em.fork().transactional(async (tx) => {
      const isNew = (await tx.count(Client, { id })) === 0
      const now = new Date()
      const row = {
        id,
        ...columns(wanted, await this.#allowedScopes(tx, wanted)),
        secretDigest: null,
        createdAt: now,
        updatedAt: now,
      }
      await tx.upsert(Client, row, {
        onConflictFields: ['id'],
        onConflictAction: 'merge',
        onConflictExcludeFields: ['createdAt'],
      })
      await announce(tx, { kind: 'client', id })
      if (isNew)
        await this.#audit?.append(tx, {
          type: 'client_registered',
          clientId: id,
          detail: { isBuiltIn: true },
        })
    })
  }

  async list(): Promise<Client[]> {
    return this.#em.fork().findAll(Client, { orderBy: { createdAt: 'asc', id: 'asc' } })
  }

  /** Those that may use the account API only because they did before apps had to be registered for it. */
  async listKept(): Promise<Client[]> {
    return this.#em
      .fork()
      .find(Client, { accountApi: 'kept' }, { orderBy: { createdAt: 'asc', id: 'asc' } })
  }

  /**
   * From now on the client is unknown to every instance, and what it holds opens nothing; its
   * registration stays. Throws `not_found`.
   */
  async disable(id: string): Promise<void> {
    await this.#change(id, 'disabled', (client) => {
      client.disabledAt ??= new Date()
    })
  }

  /**
   * What the client was given before it was disabled stays void: people sign in to it again. Throws
   * `not_found`.
   */
  async enable(id: string): Promise<void> {
    await this.#change(id, 'enabled', (client) => {
      if (client.disabledAt)
        client.metadata = { ...client.metadata, not_before: Math.floor(Date.now() / 1000) }
      client.disabledAt = null
    })
  }

  /**
   * A new secret; the old one ends at once. Throws `not_found`, or `invalid_input` for a client
   * without a secret.
   */
  async rotateSecret(id: string): Promise<string> {
    const secret = randomSecret()
    await this.#change(id, 'secret_rotated', (client) => {
      if (!usesSecret(String(client.metadata['token_endpoint_auth_method'])))
        throw new AppError('invalid_input', { fields: { id: 'this client has no secret' } })
      client.secretDigest = digestOf(secret)
    })
    return secret
  }

  /**
   * From now on people may let the app manage their account, or not any more: what it holds for
   * that opens nothing then. Throws `not_found`.
   */
  async setAccountApi(id: string, isOn: boolean): Promise<void> {
    await this.#change(id, isOn ? 'account_api_on' : 'account_api_off', (client) => {
      if (isOn && isService(client.metadata))
        throw new AppError('invalid_input', {
          fields: { id: 'a service has no person whose account it could manage' },
        })
      client.accountApi = isOn ? 'on' : 'off'
    })
  }

  async #change(id: string, what: string, change: (client: Client) => void): Promise<void> {
    await this.#em.fork().transactional(async (tx) => {
      const client = await tx.findOne(Client, { id })
      if (!client) throw new AppError('not_found')
      change(client)
      await announce(tx, { kind: 'client', id })
      await this.#audit?.append(tx, { type: 'client_changed', clientId: id, detail: { what } })
    })
  }

  /**
   * The scopes as asked for, or the usual ones with all of the client's APIs. Refuses scopes and
   * APIs that do not exist.
   */
  async #allowedScopes(
    tx: EntityManager,
    { scopes, resources, type, grantTypes, accountApi }: CheckedClient,
  ): Promise<readonly string[]> {
    const registered =
      resources.length > 0 ? await tx.find(Resource, { identifier: { $in: resources } }) : []
    const own = (accountApi && this.#accountApi?.scopes) || []
    const found: readonly OfferedApi[] = registered
    if (this.#accountApi && resources.includes(this.#accountApi.identifier))
      throw new AppError('invalid_input', {
        fields: { resources: `${this.#accountApi.identifier} is the account API: --account-api` },
      })
    const unknown = resources.filter(
      (identifier) => !found.some((resource) => resource.identifier === identifier),
    )
    if (unknown.length > 0)
      throw new AppError('invalid_input', {
        fields: { resources: `not registered: ${unknown.join(', ')}` },
      })
    const ofApis = [...found.flatMap((resource) => resource.scopes), ...own]
    const ofPerson: readonly string[] = type === 'service' ? [] : OIDC_SCOPES
    const offered = [...ofPerson, ...ofApis]
    const foreign = scopes?.filter((scope) => !offered.includes(scope)) ?? []
    if (foreign.length > 0)
      throw new AppError('invalid_input', {
        fields: { scopes: `of none of its APIs: ${foreign.join(' ')}` },
      })
    const usual = DEFAULT_SCOPES.filter(
      (scope) =>
        ofPerson.includes(scope) &&
        (scope !== 'offline_access' || grantTypes.includes('refresh_token')),
    )
    return [...new Set([...(scopes ?? [...usual, ...ofApis]), ...own])]
  }
}

/** What is kept of a client secret; it holds 256 bits, so a plain digest cannot be turned back (TK-07). */
export function digestOf(secret: string): string {
  return sha256(secret).toString('base64url')
}

/** It gets no codes, so nobody signs in to it. */
export function isService(metadata: ClientMetadata): boolean {
  return (metadata['response_types'] as readonly string[] | undefined)?.length === 0
}

function usesSecret(authMethod: string): boolean {
  return authMethod === 'client_secret_basic' || authMethod === 'client_secret_post'
}

function columns(wanted: CheckedClient, scopes: readonly string[]) {
  const { name, isFirstParty, requireMfa, refreshLeewaySeconds } = wanted
  const accountApi = wanted.accountApi ? ('on' as const) : ('off' as const)
  return {
    name,
    isFirstParty,
    requireMfa,
    accountApi,
    refreshLeewaySeconds: refreshLeewaySeconds ?? null,
    metadata: metadataOf(wanted, scopes),
  }
}

/** RFC 7591 names, every allowlist spelled out so that no default of the engine widens it (CL-01). */
function metadataOf(wanted: CheckedClient, scopes: readonly string[]): ClientMetadata {
  const metadata = {
    application_type: wanted.type === 'native' ? 'native' : 'web',
    redirect_uris: wanted.redirectUris,
    post_logout_redirect_uris: wanted.postLogoutRedirectUris,
    grant_types: wanted.grantTypes,
    response_types: wanted.grantTypes.includes('authorization_code') ? ['code'] : [],
    response_modes: wanted.responseModes,
    token_endpoint_auth_method: wanted.authMethod,
    id_token_signed_response_alg: wanted.idTokenAlg,
    scope: scopes.join(' '),
    allowed_resources: wanted.resources,
    refresh_rotation: wanted.refreshRotation === 'never' ? 'never' : undefined,
    jwks: wanted.jwks,
    jwks_uri: wanted.jwksUri,
    client_uri: wanted.clientUri,
    logo_uri: wanted.logoUri,
    policy_uri: wanted.policyUri,
    tos_uri: wanted.tosUri,
    backchannel_logout_uri: wanted.backchannelLogoutUri,
    backchannel_logout_session_required:
      wanted.backchannelLogoutUri === undefined ? undefined : true,
  }
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined))
}
