import type { Context } from 'koa'
import type { Interactions } from '../../oidc/interactions.ts'
import type { AskingApp } from '../renderer.ts'
import { startedBy } from '../started-sign-ins.ts'

/**
 * A sign-in to an app that was left for another page, so that it can go on afterwards. It is
 * this browser's or none: nobody else learns from its address which app it was for (SE-12).
 */
export function leftSignIn(ctx: Context, uid: unknown): string | undefined {
  if (typeof uid !== 'string' || !/^[\w-]{1,64}$/.test(uid)) return undefined
  return startedBy(ctx, uid) === undefined ? undefined : uid
}

export function signInOf(uid: string | undefined): string {
  return uid ? `/interaction/${uid}/login` : '/login'
}

/** UX-30: the app that the person is on the way to stays in sight. */
export async function appOf(
  interactions: Interactions,
  uid: string | undefined,
): Promise<AskingApp | undefined> {
  return uid ? interactions.askingApp(uid) : undefined
}
