import type { Context } from 'koa'
import { type Client, errors, type Interaction, type Provider } from 'oidc-provider'
import { type SignInPolicy, strongestLevel } from '../accounts/factors/sign-in-policy.ts'
import type { RequiredLevel } from '../config/sign-in-rules.ts'
import { AppError } from '../errors.ts'
import { demandedLevel } from './acr.ts'
import { settingsOf } from './clients/settings.ts'
import {
  addAccess,
  type ConsentStore,
  NOTHING,
  type RememberedConsent,
  UNREMEMBERED,
} from './grants.ts'
import { type InteractionState, nextState, readState } from './interaction-state.ts'
import { param } from './param.ts'
import { type SignedIn, signInResult, takenOver } from './sign-in-result.ts'
import { findWayBack, type WayBack } from './starting-again.ts'

/** Who ends the previous account's session when another one signs in. */
export interface SessionEnder {
  endSession(sessionId: string): Promise<void>
}

const UNMET = 'unmet_authentication_requirements'

export interface InteractionsDeps {
  readonly provider: () => Provider
  readonly consents: ConsentStore
  readonly sessions: SessionEnder
  readonly signInPolicy: SignInPolicy
}

/**
 * The steps between an authorization request and its answer, bound to the browser by the
 * interaction cookie (SE-12).
 */
export class Interactions {
  readonly #deps: InteractionsDeps

  constructor(deps: InteractionsDeps) {
    this.#deps = deps
  }

  /** The interaction of this URL and this browser; `interaction_expired` for every other. */
  async get(
    ctx: Context,
    uid: string,
  ): Promise<{ interaction: Interaction; client: Client; state: InteractionState }> {
    const provider = this.#deps.provider()
    const interaction = await provider
      .interactionDetails(ctx.req, ctx.res)
      .catch((error: unknown) => {
        if (error instanceof errors.SessionNotFound)
          throw new AppError('interaction_expired', { cause: error })
        throw error
      })
    if (interaction.uid !== uid) throw new AppError('interaction_expired')
    const client = await provider.Client.find(String(interaction.params['client_id']))
    if (!client) throw new AppError('interaction_expired')
    return { interaction, client, state: readState(interaction.result?.['gatehouse']) }
  }

  /**
   * Which app began it, for pages outside of the interaction to name it: to the browser that began it
   * only, which the caller makes sure of.
   */
  async askingApp(uid: string): Promise<{ client: Client; redirectUri: string } | undefined> {
    const provider = this.#deps.provider()
    const interaction = await provider.Interaction.find(uid)
    const client =
      interaction && (await provider.Client.find(String(interaction.params['client_id'])))
    return client && { client, redirectUri: param(interaction.params, 'redirect_uri') }
  }

  wayBack(started: { uid: string; clientId: string }): Promise<WayBack | undefined> {
    return findWayBack(this.#deps.provider(), started)
  }

  async remember(interaction: Interaction, state: InteractionState): Promise<void> {
    const { result } = interaction
    interaction.result = { ...result, gatehouse: nextState(result?.['gatehouse'], state) }
    await interaction.persist()
  }

  /** What the operator, this app, or this request of it demands. */
  demandedLevel(client: Client, { params }: Interaction): RequiredLevel {
    const level = this.#deps.signInPolicy.levelFor(settingsOf(client))
    return strongestLevel(level, demandedLevel(params))
  }

  /** Whether a trusted device may skip the second step: not where a proof is asked for anew (TF-07). */
  takesTrust(client: Client, { params, prompt }: Interaction): boolean {
    const asksAnew =
      params['max_age'] !== undefined ||
      prompt.reasons.includes('max_age') ||
      param(params, 'prompt').split(' ').includes('login')
    return (
      !asksAnew &&
      demandedLevel(params) === '1fa' &&
      this.#deps.signInPolicy.takesTrust(settingsOf(client))
    )
  }

  /** Ends the login prompt; the returned URL is where the browser goes next (303). */
  async login(interaction: Interaction, signedIn: SignedIn): Promise<string> {
    const { session } = interaction as { session?: { uid?: string; accountId?: string } }
    if (session?.uid && session.accountId !== signedIn.accountId) {
      await this.#deps.sessions.endSession(session.uid)
      Reflect.deleteProperty(interaction, 'session')
    }
    interaction.result = { ...takenOver(interaction.lastSubmission), ...signInResult(signedIn) }
    await interaction.persist()
    return interaction.returnTo
  }

  /** The sign-in does not hold after all: the interaction waits for another. */
  async takeBack(interaction: Interaction): Promise<void> {
    interaction.result = takenOver(interaction.lastSubmission)
    await interaction.persist()
  }

  /** The session's own account goes on (`prompt=select_account`). */
  async continueAs(interaction: Interaction): Promise<string> {
    return this.#pass(interaction, { select_account: {} })
  }

  /** The person has accepted the terms, or goes on to the account area without. */
  async passTerms(interaction: Interaction): Promise<string> {
    return this.#pass(interaction, { terms: {} })
  }

  async #pass(interaction: Interaction, prompt: Record<string, object>): Promise<string> {
    interaction.result = { ...takenOver(interaction.lastSubmission), ...prompt }
    await interaction.persist()
    return interaction.returnTo
  }

  async consent(interaction: Interaction, client: Client, accountId: string): Promise<string> {
    const provider = this.#deps.provider()
    const grant =
      (interaction.grantId ? await provider.Grant.find(interaction.grantId) : undefined) ??
      new provider.Grant({ accountId, clientId: client.clientId })
    const asked = missingAccess(interaction)
    addAccess(grant, asked)
    const grantId = await grant.save()
    await this.#deps.consents.add(accountId, client.clientId, asked)
    return this.#pass(interaction, { consent: { grantId } })
  }

  /** The person does not allow it. */
  async deny(interaction: Interaction): Promise<string> {
    const { session, params, prompt } = interaction
    if (session?.accountId && prompt.name === 'consent')
      this.#deps.consents.denied(session.accountId, String(params['client_id']))
    return this.#end(interaction, 'access_denied', 'End-User denied the request')
  }

  /** The person goes back to the app; who was asked for a second factor and sets none up, did not meet it. */
  leave(interaction: Interaction, { enrol, offer }: InteractionState): Promise<string> {
    if (offer?.isRequired && !enrol) return this.#end(interaction, UNMET, 'a passkey is not made')
    return enrol?.isDone === false && demandedLevel(interaction.params) !== '1fa'
      ? this.#end(interaction, UNMET, 'a second factor is not set up')
      : this.#end(interaction, 'access_denied', 'End-User left the sign-in')
  }

  /** Nothing that the person has, or could add here, is what was demanded. */
  unmet(interaction: Interaction): Promise<string> {
    return this.#end(interaction, UNMET, 'the account cannot be signed in to as demanded')
  }

  /** An error back to the app, with `state` and `iss` (RFC 6749 4.1.2.1). */
  async #end(interaction: Interaction, error: string, description: string): Promise<string> {
    interaction.result = { error, error_description: description }
    await interaction.persist()
    return interaction.returnTo
  }
}

/**
 * What the consent prompt found to be missing; all that was asked for with `prompt=consent` and
 * nothing missing, and where nothing that came without a question counts.
 */
export function missingAccess({ prompt }: Interaction): RememberedConsent {
  const { missingOIDCScope, missingResourceScopes, missingOIDCClaims, requested } =
    prompt.details as {
      missingOIDCScope?: string[]
      missingResourceScopes?: Record<string, string[]>
      missingOIDCClaims?: string[]
      requested?: Partial<RememberedConsent>
    }
  const isNothingMissing = !missingOIDCScope && !missingResourceScopes && !missingOIDCClaims
  if (isNothingMissing || prompt.reasons.includes(UNREMEMBERED)) return { ...NOTHING, ...requested }
  return {
    scopes: missingOIDCScope ?? [],
    resourceScopes: missingResourceScopes ?? {},
    claims: missingOIDCClaims ?? [],
  }
}
