import type { Context, Middleware } from 'koa'
import type { PasskeyView } from '../../../accounts/factors/passkeys/passkey-view.ts'
import type { Passkeys } from '../../../accounts/factors/passkeys/passkeys.ts'
import type { Problems } from '../../../views/views.ts'
import { textsOf } from '../../form.ts'
import { Registration, readCredential } from '../../passkey-credential.ts'
import { refusable } from '../../refusable.ts'
import { seeOther } from '../../see-other.ts'
import { originOf } from '../../state.ts'
import { type AreaDeps, areaOf } from './area.ts'
import { renderRecoveryCodes } from './recovery-codes.ts'
import { type Visitor, visitorOf } from './session.ts'

export interface PasskeysDeps extends AreaDeps {
  readonly passkeys: Passkeys
}

const PATH = '/account/passkeys'
const NEW = `${PATH}/new`

export function showPasskeys(deps: PasskeysDeps): Middleware {
  return (ctx) => renderList(ctx, deps)
}

export function showNewPasskey(deps: PasskeysDeps): Middleware {
  return (ctx) => renderNew(ctx, deps)
}

/** The first one of an account brings recovery codes, which its answer alone shows. */
export function addPasskey(deps: PasskeysDeps): Middleware {
  return async (ctx) => {
    const { account, sessionId } = visitorOf(ctx)
    let refused: Problems | undefined
    await refusable(
      ctx,
      async () => {
        const made = {
          accountId: account.id,
          credential: readCredential(Registration, textsOf(ctx, 'credential').credential),
          binding: bindingOf(visitorOf(ctx)),
          purpose: 'passkey',
          sessionId,
        } as const
        const { recoveryCodes } = await deps.passkeys.register(made, originOf(ctx))
        if (recoveryCodes.length > 0)
          return renderRecoveryCodes(ctx, deps, {
            codes: recoveryCodes,
            uses: [],
            notice: 'passkey_added',
          })
        deps.notices.leave(ctx, 'passkey_added')
        seeOther(ctx, PATH)
      },
      (problems) => {
        refused = problems
      },
    )
    if (refused) await renderNew(ctx, deps, refused)
  }
}

export function renamePasskey(deps: PasskeysDeps): Middleware {
  return changing(deps, async (ctx, accountId, id) => {
    const { name } = textsOf(ctx, 'name')
    await deps.passkeys.rename(accountId, id, name, changeBy(ctx))
    deps.notices.leave(ctx, 'saved')
  })
}

export function confirmPasskey(deps: PasskeysDeps): Middleware {
  return changing(deps, async (ctx, accountId, id) => {
    await deps.passkeys.confirm(accountId, id, changeBy(ctx))
    deps.notices.leave(ctx, 'saved')
  })
}

export function removePasskey(deps: PasskeysDeps): Middleware {
  return changing(deps, async (ctx, accountId, id) => {
    await deps.passkeys.remove(accountId, id, changeBy(ctx))
    deps.notices.leave(ctx, 'passkey_removed')
  })
}

/** A change of one of the visitor's own, after which the list is shown anew. */
function changing(
  deps: PasskeysDeps,
  change: (ctx: Context, accountId: string, id: string) => Promise<void>,
): Middleware {
  return async (ctx) => {
    const id = String(ctx['params']['id'])
    let refused: Problems | undefined
    await refusable(
      ctx,
      async () => {
        await change(ctx, visitorOf(ctx).account.id, id)
        seeOther(ctx, PATH)
      },
      (problems) => {
        refused = problems
      },
    )
    if (refused) await renderList(ctx, deps, { id, problems: refused })
  }
}

async function renderList(
  ctx: Context,
  deps: PasskeysDeps,
  refused?: { readonly id: string; readonly problems: Problems },
): Promise<void> {
  const { account } = visitorOf(ctx)
  const passkeys = await deps.passkeys.list(account.id)
  const area = areaOf(ctx, deps)
  deps.renderer.page(ctx, 'account/passkeys', {
    ...area,
    csrf: deps.csrf.token(ctx),
    newHref: NEW,
    passkeys: passkeys.map(itemOf),
    problems: refused && ofItem(refused),
    // An empty list has what keeps passkeys drop all of them: only where the last was just removed.
    signal:
      passkeys.length > 0 || area.notice === 'passkey_removed'
        ? deps.passkeys.signals(account, passkeys)
        : undefined,
  })
}

async function renderNew(ctx: Context, deps: PasskeysDeps, problems?: Problems): Promise<void> {
  const visitor = visitorOf(ctx)
  const options = await deps.passkeys.creationOptions(visitor.account, bindingOf(visitor))
  deps.renderer.page(ctx, 'account/passkey-new', {
    ...areaOf(ctx, deps),
    passkey: { action: NEW, csrf: deps.csrf.token(ctx), options },
    problems,
  })
}

function bindingOf({ sessionId }: Visitor): string {
  return `account:${sessionId}`
}

function changeBy(ctx: Context) {
  return { origin: originOf(ctx), sessionId: visitorOf(ctx).sessionId }
}

function itemOf({ id, ...passkey }: PasskeyView) {
  const actions = {
    renameAction: `${PATH}/${id}/rename`,
    removeAction: passkey.keptUntil ? undefined : `${PATH}/${id}/remove`,
    confirmAction: passkey.suspendedFor ? `${PATH}/${id}/confirm` : undefined,
  }
  return { id, ...passkey, ...actions }
}

/** The field of the item whose name was refused. */
function ofItem({ id, problems }: { id: string; problems: Problems }): Problems {
  const reason = problems.fields?.['name']
  return reason ? { ...problems, fields: { [`name-${id}`]: reason } } : problems
}
