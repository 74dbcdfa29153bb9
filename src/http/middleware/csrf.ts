import type { KeyObject } from 'node:crypto'
import type { Context, Middleware } from 'koa'
import { equal, hmac, randomToken } from '../../crypto/token.ts'
import { AppError } from '../../errors.ts'
import { createCookie } from '../cookies.ts'

export interface Csrf {
  /** The hidden field's value for this browser; sets the cookie it is derived from when there is none. */
  token(ctx: Context): string
  /**
   * Refuses unsafe requests that another site could have made (SE-11): by fetch metadata, by
   * Origin, and by the field.
   */
  readonly guard: Middleware
  /**
   * Refuses what a page of another site loads into itself. It would show nobody anything, and use
   * up the limits of their network.
   */
  readonly pagesOnly: Middleware
}

/** A page that is opened, rather than loaded into another one. */
const isOpened = (ctx: Context): boolean =>
  ctx.get('sec-fetch-mode') === 'navigate' && !FRAMES.has(ctx.get('sec-fetch-dest'))
const FRAMES = new Set(['iframe', 'frame', 'object', 'embed', 'fencedframe'])

function isForeign(ctx: Context): boolean {
  const site = ctx.get('sec-fetch-site')
  return site !== '' && site !== 'same-origin' && site !== 'none'
}

export function createCsrf({ issuer, key }: { issuer: string; key: KeyObject }): Csrf {
  const cookie = createCookie('csrf', { isHttps: issuer.startsWith('https:'), isSigned: false })
  const derive = (seed: string): Buffer => hmac(key, `csrf:${seed}`)

  return {
    token(ctx) {
      let seed = ctx.state.csrfSeed ?? cookie.read(ctx)
      if (!seed || seed.length < 20 || seed.length > 64) {
        seed = randomToken(128)
        cookie.write(ctx, seed)
      }
      ctx.state.csrfSeed = seed
      return derive(seed).toString('base64url')
    },
    guard: async (ctx, next) => {
      const origin = ctx.get('origin')
      if (isForeign(ctx)) throw new AppError('forbidden')
      if (origin && origin !== issuer && origin !== 'null') throw new AppError('forbidden')
      const seed = cookie.read(ctx)
      const sent = ctx.state.form?.['_csrf']
      if (!seed || !sent || !equal(Buffer.from(sent, 'base64url'), derive(seed)))
        throw new AppError('forbidden')
      await next()
    },
    pagesOnly: (ctx, next) => {
      if (isForeign(ctx) && !isOpened(ctx)) throw new AppError('forbidden')
      return next()
    },
  }
}
