import type Router from '@koa/router'
import { pathsOf } from '../../lead-home.ts'

/** The page to come back to from an address of the area, which may take a form only. */
export type PageOf = (path: string) => string

/** Opened by GET, and no page: a file, and the answer of a provider. */
const NO_PAGES = ['/export', '/connections/arrival']

/** The nearest page above it: what is of one item belongs to the list that has it. */
export function pageOfArea(router: Router): PageOf {
  const { prefix = '' } = router.opts
  const gone = new Set(NO_PAGES.map((path) => `${prefix}${path}`))
  let pages: ReadonlySet<string> | undefined
  return (path) => {
    pages ??= new Set(pathsOf(router, 'GET').filter((each) => !gone.has(each)))
    let page = path
    while (page !== prefix && !pages.has(page)) page = page.slice(0, page.lastIndexOf('/'))
    return page
  }
}
