import type { Context } from 'koa'
import { localeCookie, type Renderer, themeCookie } from '../renderer.ts'
import { seeOther } from '../see-other.ts'

/**
 * The language picker works without JavaScript and keeps the place (UX-39); only paths of ours are
 * gone back to (WB-06).
 */
export function switchLocale(
  ctx: Context,
  { issuer, renderer }: { issuer: string; renderer: Renderer },
): void {
  const { lang, theme, return_to: returnTo } = ctx.query
  if (renderer.languages.has(lang)) localeCookie.write(ctx, lang)
  if (theme === 'light' || theme === 'dark' || theme === 'auto')
    themeCookie.write(ctx, theme === 'auto' ? null : theme)
  const target =
    typeof returnTo === 'string' && /^\/(?![/\\])[\x21-\x7e]*$/.test(returnTo)
      ? URL.parse(returnTo, issuer)
      : null
  // Dot segments are gone by now: `/..//evil.example` has become `//evil.example`, which a browser
  // reads as another host.
  const isOurs = target?.origin === issuer && !target.pathname.startsWith('//')
  seeOther(ctx, isOurs ? `${target.pathname}${target.search}` : '/account')
}
