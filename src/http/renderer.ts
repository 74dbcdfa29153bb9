import type { Context } from 'koa'
import { shownAddress } from '../clients/redirect-kind.ts'
import { settingsOf } from '../oidc/clients/settings.ts'
import type { Client } from '../oidc/pages.ts'
import type { ClientChip, Languages, Locale, PageModels, PageName, Views } from '../views/views.ts'
import { createNamedCookie } from './cookies.ts'
import { logoPath } from './logos.ts'
import { nonceOf, setPagePolicy } from './middleware/security-headers.ts'

/** The app that asks, as a page shows it. */
export interface AskingApp {
  readonly client: Client
  readonly redirectUri: string
}

export interface Renderer {
  page<Name extends PageName>(
    ctx: Context,
    name: Name,
    model: PageModels[Name],
    app?: AskingApp,
  ): void
  locale(ctx: Context): Locale
  readonly languages: Languages
}

const preference = { isSigned: false, maxAgeMs: 365 * 86_400_000 }
export const localeCookie = createNamedCookie('gatehouse_locale', preference)
/** `light` or `dark`; absent: as the device prefers (UX-38). */
export const themeCookie = createNamedCookie('gatehouse_theme', preference)

/** Draws pages in the language of the request, never cached. */
export function createRenderer(views: Views): Renderer {
  const locale = (ctx: Context): Locale =>
    views.languages.negotiate({
      uiLocales: ctx.state.uiLocales,
      cookie: localeCookie.read(ctx),
      acceptLanguage: ctx.get('accept-language').slice(0, 500),
    })
  return {
    languages: views.languages,
    locale,
    page(ctx, name, model, app) {
      setPagePolicy(ctx)
      ctx.set('Cache-Control', 'no-store')
      ctx.type = 'html'
      const chip = app ? { client: chipOf(app) } : {}
      ctx.body = views.page(name, model, {
        locale: locale(ctx),
        nonce: nonceOf(ctx),
        path: ctx.originalUrl.slice(0, 2000),
        theme: themeOf(ctx),
        ...chip,
      })
    },
  }
}

function themeOf(ctx: Context): 'light' | 'dark' | undefined {
  const theme = themeCookie.read(ctx)
  return theme === 'light' || theme === 'dark' ? theme : undefined
}

export function nameOfApp({ client }: AskingApp): string {
  return client.clientName ?? client.clientId
}

/** UX-30: apps that are not the operator's own also show where they send the person. */
function chipOf(app: AskingApp): ClientChip {
  const { client, redirectUri } = app
  const isOurs = settingsOf(client).first_party === true
  const digest = client['logo_digest']
  return {
    name: nameOfApp(app),
    ...(typeof digest === 'string' ? { logoUri: logoPath(digest) } : {}),
    ...(isOurs ? {} : { host: shownAddress(redirectUri) }),
  }
}
