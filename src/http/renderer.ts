import type { Context } from 'koa'
import type { Client } from '../oidc/pages.ts'
import {
  type ClientChip,
  type Locale,
  negotiateLocale,
  type PageModels,
  type PageName,
  type Views,
} from '../views/views.ts'
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
}

export const LOCALE_COOKIE = 'gatehouse_locale'
/** `light` or `dark`; absent: as the device prefers (UX-38). */
export const THEME_COOKIE = 'gatehouse_theme'

/** Draws pages in the language of the request, never cached. */
export function createRenderer(views: Views): Renderer {
  const locale = (ctx: Context): Locale =>
    negotiateLocale({
      uiLocales: ctx.state['uiLocales'] as string | undefined,
      cookie: ctx.cookies.get(LOCALE_COOKIE, { signed: false }),
      acceptLanguage: ctx.get('accept-language').slice(0, 500),
    })
  return {
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
  const theme = ctx.cookies.get(THEME_COOKIE, { signed: false })
  return theme === 'light' || theme === 'dark' ? theme : undefined
}

export function nameOfApp({ client }: AskingApp): string {
  return client.clientName ?? client.clientId
}

/** UX-30: apps that are not the operator's own also show where they send the person. */
function chipOf(app: AskingApp): ClientChip {
  const { client, redirectUri } = app
  const isOurs = client['first_party'] === true
  return {
    name: nameOfApp(app),
    ...(isOurs ? {} : { host: URL.parse(redirectUri)?.host || redirectUri }),
  }
}
