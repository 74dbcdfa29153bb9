import type { Context } from 'koa'
import { isLocale } from '../../views/views.ts'
import { LOCALE_COOKIE, THEME_COOKIE } from '../renderer.ts'
import { seeOther } from '../see-other.ts'

/** Keeps a choice of look or language in this browser; `null` forgets it. */
export function keepPreference(
  ctx: Context,
  issuer: string,
  cookie: typeof LOCALE_COOKIE | typeof THEME_COOKIE,
  value: string | null,
): void {
  const common = {
    signed: false,
    httpOnly: true,
    sameSite: 'lax',
    secure: issuer.startsWith('https:'),
    overwrite: true,
  } as const
  ctx.cookies.set(cookie, value, { ...common, maxAge: 365 * 86_400_000 })
}

/**
 * The language picker works without JavaScript and keeps the place (UX-39); only paths of ours are
 * gone back to (WB-06).
 */
export function switchLocale(ctx: Context, issuer: string): void {
  const { lang, theme, return_to: returnTo } = ctx.query
  if (isLocale(lang)) keepPreference(ctx, issuer, LOCALE_COOKIE, lang)
  if (theme === 'light' || theme === 'dark' || theme === 'auto')
    keepPreference(ctx, issuer, THEME_COOKIE, theme === 'auto' ? null : theme)
  const target =
    typeof returnTo === 'string' && /^\/(?![/\\])[\x21-\x7e]*$/.test(returnTo)
      ? URL.parse(returnTo, issuer)
      : null
  // Dot segments are gone by now: `/..//evil.example` has become `//evil.example`, which a browser
  // reads as another host.
  const isOurs = target?.origin === issuer && !target.pathname.startsWith('//')
  seeOther(ctx, isOurs ? `${target.pathname}${target.search}` : '/account')
}
