import { Invitation } from '../../src/entities/index.ts'
import { Browser } from './browser.ts'
import type { TestServer } from './server.ts'

/** The settings of a server that only who is invited may register at. */
export const INVITE_ONLY = { mode: 'invite', domains: [], showsDomains: false } as const

type Link = URL | string | undefined

/** The link of an invitation, at whichever instance it is opened. */
export function pathOf({ origin }: Pick<TestServer, 'origin'>, link: Link): string {
  const { pathname, search } = new URL(link ?? '', origin)
  return `${pathname}${search}`
}

/** A browser that has opened an invitation, and pressed its button. */
export async function openInvitation(
  server: Pick<TestServer, 'origin'>,
  link: Link,
): Promise<Browser> {
  const browser = new Browser(server.origin)
  await browser.visit(pathOf(server, link))
  await browser.submit('/invitation')
  return browser
}

export async function usesOf({ context }: Pick<TestServer, 'context'>, id: string) {
  return (await context.database.em.fork().findOneOrFail(Invitation, { id })).uses
}
