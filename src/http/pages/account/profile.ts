import type { Context, Middleware } from 'koa'
import type { Profile } from '../../../accounts/profile.ts'
import type { Config } from '../../../config/config.ts'
import type { Problems } from '../../../views/views.ts'
import { textsOf } from '../../form.ts'
import { refusable } from '../../refusable.ts'
import { localeCookie } from '../../renderer.ts'
import { seeOther } from '../../see-other.ts'
import { formOf } from '../../state.ts'
import { type AreaDeps, areaOf } from './area.ts'
import { changeOf, fieldsOf, inputsOf } from './profile-fields.ts'
import { visitorOf } from './session.ts'

export interface ProfileDeps extends AreaDeps {
  readonly config: Config
  readonly profile: Profile
}

/** Exactly these fields, and those that are turned on; whatever else a form carries is not looked at (IN-04). */
const FIELDS = ['name', 'image_url', 'phone_number', 'locale'] as const
type ProfileForm = Readonly<Record<(typeof FIELDS)[number], string>>

export function showProfile(deps: ProfileDeps): Middleware {
  return async (ctx) => {
    const { account } = visitorOf(ctx)
    const { name, imageUrl, phoneNumber, locale } = account
    const inputs = inputsOf(await deps.profile.shownOf(account))
    const form = {
      name,
      image_url: imageUrl ?? '',
      phone_number: phoneNumber ?? '',
      locale: locale ?? '',
    }
    render(ctx, deps, { form, fields: fieldsOf(inputs) })
  }
}

/** An empty field clears, but for the name. The chosen language counts at once. */
export function submitProfile(deps: ProfileDeps): Middleware {
  return async (ctx) => {
    const form = textsOf(ctx, ...FIELDS)
    const { name, image_url: imageUrl, phone_number: phoneNumber, locale } = form
    const { account } = visitorOf(ctx)
    const typed = formOf(ctx)
    const inputs = inputsOf(await deps.profile.shownOf(account))
    await refusable(
      ctx,
      async () => {
        const change = {
          name,
          imageUrl: imageUrl.trim() || null,
          phoneNumber: phoneNumber.trim() || null,
          attributes: changeOf(inputs, typed),
        }
        const chosen = deps.renderer.languages.has(locale) ? locale : null
        await deps.profile.update(account.id, { ...change, locale: chosen })
        localeCookie.write(ctx, chosen)
        deps.notices.leave(ctx, 'saved')
        seeOther(ctx, '/account/profile')
      },
      (problems) => render(ctx, deps, { form, fields: fieldsOf(inputs, typed) }, problems),
    )
  }
}

interface Shown {
  readonly form: ProfileForm
  readonly fields: ReturnType<typeof fieldsOf>
}

function render(
  ctx: Context,
  deps: ProfileDeps,
  { form, fields }: Shown,
  problems?: Problems,
): void {
  deps.renderer.page(ctx, 'account/profile', {
    ...areaOf(ctx, deps),
    action: '/account/profile',
    csrf: deps.csrf.token(ctx),
    name: form.name,
    imageUrl: form.image_url,
    phoneNumber: form.phone_number,
    ...(deps.renderer.languages.has(form.locale) ? { locale: form.locale } : {}),
    fields,
    problems,
  })
}
