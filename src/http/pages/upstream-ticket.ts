import type { Context } from 'koa'
import { AppError } from '../../errors.ts'
import type { AuthorizationServer } from '../../oidc/authorization-server.ts'
import { findApiApp } from '../../oidc/clients/api-app.ts'
import { settingsOf } from '../../oidc/clients/settings.ts'
import type { LiveProvider, Providers } from '../../upstream/providers.ts'
import type { Ticket, Tickets } from '../../upstream/tickets.ts'
import type { AskingApp, Renderer } from '../renderer.ts'

export interface ToAppDeps {
  readonly authorizationServer: Pick<AuthorizationServer, 'provider'>
  readonly providers: Providers
  readonly renderer: Renderer
  readonly tickets: Tickets
}

/** What an app has asked for, by the ticket in the address. */
export interface Asked {
  readonly ticket: Ticket
  readonly app: AskingApp
  /** Undefined if it is not offered there any more. */
  readonly provider: LiveProvider | undefined
}

/** Throws `invalid_link` for what we have not sealed, for this provider and an app that is one still. */
export async function askedBy(
  ctx: Context,
  { authorizationServer, providers, tickets }: ToAppDeps,
  options?: { readonly isBack: true },
): Promise<Asked> {
  const ticket = tickets.open(String(ctx['params']['ticket']), options)
  if (!ticket || ticket.providerId !== ctx['params']['provider']) throw new AppError('invalid_link')
  const { clientId, redirectUri, providerId } = ticket
  const client = await findApiApp(authorizationServer, clientId)
  if (!client?.redirectUriAllowed(redirectUri)) throw new AppError('invalid_link')
  const provider = await providers.findOffered(providerId, settingsOf(client))
  return { ticket, app: { client, redirectUri }, provider }
}

/** Refusals go to the app, in the words of OAuth. */
export async function orToApp(
  ctx: Context,
  deps: ToAppDeps,
  asked: Asked,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    const word = error instanceof AppError ? WORDS[error.code] : undefined
    if (word === undefined) throw error
    leaveTo(ctx, deps, asked, { error: word })
  }
}

/** RFC 6749 4.1.2.1. */
const WORDS: Readonly<Partial<Record<AppError['code'], string>>> = {
  upstream_cancelled: 'access_denied',
  upstream_unavailable: 'temporarily_unavailable',
  upstream_invalid: 'server_error',
  method_not_offered: 'access_denied',
  invalid_credentials: 'access_denied',
}

/** To the app's own address, by a page. */
export function leaveTo(
  ctx: Context,
  { renderer }: ToAppDeps,
  { ticket: { redirectUri, state }, app }: Asked,
  values: Readonly<Record<string, string>>,
): void {
  const target = new URL(redirectUri)
  const all = { ...values, ...(state === undefined ? {} : { state }) }
  for (const [name, value] of Object.entries(all)) target.searchParams.set(name, value)
  const isToProgram = !/^https?:$/.test(target.protocol)
  renderer.page(ctx, 'pages/leaving', { href: target.href, isToProgram }, app)
}
