import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import type { SecretBox } from '../../crypto/secret-box.ts'
import { AppError } from '../../errors.ts'
import { formBody } from '../middleware/body.ts'
import type { RateLimit } from '../middleware/rate-limit.ts'
import { seeOther } from '../see-other.ts'
import { lastUnderWay } from '../started-sign-ins.ts'
import { formOf } from '../state.ts'
import { arriveForApp, decideForApp, startForApp, type UpstreamAppDeps } from './upstream-app.ts'

export interface UpstreamDeps extends UpstreamAppDeps {
  readonly box: SecretBox
  readonly limit: RateLimit
}

/** Parameters of an answer (RFC 6749 4.1.2, RFC 9207) that go on from a form to the address. */
const PASSED_ON = ['state', 'code', 'iss', 'error'] as const
const SEALED_FOR = 'upstream user'
const LONGEST = 8192

/** Where providers send people back to, one static address each; and where apps send them out from. */
export function upstreamRoutes(deps: UpstreamDeps): Router {
  const router = new Router({ prefix: '/upstream/:provider' })
  const { guard, pagesOnly } = deps.csrf
  const limited = deps.limit('upstream')
  router.get('/callback', pagesOnly, limited, comeBack(deps))
  router.post('/callback', formBody(), limited, comeBackByForm(deps))
  router.get('/app/:ticket', pagesOnly, limited, startForApp(deps))
  const decided = deps.limit('interaction')
  router.get('/app/:ticket/arrival', pagesOnly, decided, arriveForApp(deps))
  router.post('/app/:ticket/arrival', formBody(), guard, decided, decideForApp(deps))
  return router
}

function comeBack({ box, journeys, upstreamCookie }: UpstreamDeps): Middleware {
  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    if (ctx.querystring.length > LONGEST) throw new AppError('invalid_input')
    const parameters = new URLSearchParams(ctx.querystring)
    const user = opened(box, parameters.get('user'))
    parameters.delete('user')
    const providerId = String(ctx['params']['provider'])
    const browser = upstreamCookie.read(ctx)
    const arrived =
      browser === undefined
        ? undefined
        : await journeys.comeBack(providerId, { parameters, user }, browser)
    if (arrived) {
      const { goOn, arrivalId } = arrived
      return seeOther(ctx, `${goOn}${goOn.includes('?') ? '&' : '?'}of=${arrivalId}`)
    }
    wayOn(ctx)
  }
}

/**
 * An answer by `form_post` is a form of another site: no cookie of ours comes with it. The browser
 * brings it once more, as a page that it opens (RFC 6265bis: Lax).
 */
function comeBackByForm({ box }: UpstreamDeps): Middleware {
  return (ctx) => {
    const form = formOf(ctx)
    const parameters = new URLSearchParams()
    for (const name of PASSED_ON) if (form[name] !== undefined) parameters.set(name, form[name])
    const { user } = form
    if (user !== undefined && user.length <= 2000)
      parameters.set('user', box.seal(user, SEALED_FOR).toString('base64url'))
    seeOther(ctx, `${ctx.path}?${parameters.toString()}`)
  }
}

/** An old tab, the button back: on to the sign-in that is under way, if there is one. */
function wayOn(ctx: Context): void {
  const uid = lastUnderWay(ctx)
  if (uid === undefined) throw new AppError('interaction_expired')
  seeOther(ctx, `/interaction/${uid}`)
}

function opened(box: SecretBox, sealed: string | null): string | undefined {
  if (sealed === null) return undefined
  try {
    return box.open(Buffer.from(sealed, 'base64url'), SEALED_FOR).toString('utf8')
  } catch {
    return undefined
  }
}
