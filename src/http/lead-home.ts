import type Router from '@koa/router'
import type { Middleware } from 'koa'

/** The name of routes that have no page of their own. */
const HOME = 'home'

/**
 * An address that takes a form only is opened all the same: by a reload, another language, a second
 * try after a refusal. It leads to the page that has the form (UX-14).
 */
export function leadHome(router: Router, home: Middleware): Router {
  const opened = new Set(pathsOf(router, 'GET'))
  const { prefix = '' } = router.opts
  for (const path of pathsOf(router, 'POST'))
    if (!opened.has(path)) router.get(HOME, path.slice(prefix.length), home)
  return router
}

/** What a router has of its own under a method, as it is written there, with its prefix. */
export function pathsOf(router: Router, method: 'GET' | 'POST'): string[] {
  return router.stack
    .filter(({ methods, name }) => name !== HOME && methods.includes(method))
    .map(({ path }) => String(path))
}
