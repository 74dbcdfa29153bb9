import type { Context } from 'koa'
import type { Acceptances } from '../accounts/registration/acceptances.ts'
import type { Problems, TermsBox } from '../views/views.ts'

type Asking = { readonly acceptances: Pick<Acceptances, 'terms'> }

/** The box of a form that makes an account; none where nothing has to be accepted. */
export function termsBox(ctx: Context, { acceptances }: Asking): TermsBox | undefined {
  const { terms } = acceptances
  return terms && { ...terms, isTicked: tickedTerms(ctx) === terms.version }
}

/** The version whose box was ticked. */
export function tickedTerms(ctx: Context): string | undefined {
  return ctx.state.form?.['terms']
}

/** What is wrong with a form, and that the box is not ticked, or not for the version that counts. */
export function withTermsFault(ctx: Context, deps: Asking, problems: Problems): Problems {
  if (termsBox(ctx, deps)?.isTicked !== false) return problems
  const { code, fields } = problems
  if (code === 'terms_required') ctx.status = 400
  else if (!fields) return problems
  return { ...problems, fields: { ...fields, terms: 'required' } }
}
