import { type Asset, assetPath, assets } from './assets.ts'
import { type Brand, brandFiles } from './brand.ts'
import { deviceName } from './device.ts'
import { markEnglish } from './fallback.ts'
import { type Html, html, print } from './html.ts'
import { type Languages, type Locale, readLanguages } from './languages.ts'
import { createMailRenderer } from './mail.ts'
import type { MailModels, MailName, RenderedMail } from './mail-models.ts'
import type { PageContext, Problems } from './models.ts'
import type { PageModels, PageName } from './page-models.ts'
import { problemList, problemText } from './problems.ts'
import { qrCode } from './qr.ts'
import { attrs, compileTemplates, webUrl } from './templates.ts'
import { createTranslators, type Translator } from './translator.ts'

export * from './account-models.ts'
export * from './api-docs-model.ts'
export { type Asset, assets } from './assets.ts'
export { deviceName } from './device.ts'
export { foreignForm } from './foreign-form.ts'
export { type Language, type Languages, type Locale, readLanguages } from './languages.ts'
export * from './mail-models.ts'
export * from './models.ts'
export * from './page-models.ts'
export { plainName } from './plain-name.ts'
export { qrSvg } from './qr.ts'
export * from './recovery-models.ts'
export type { TermsBox, TrapModel, WorkModel } from './sign-up-models.ts'

/** Characters of a password that is the only factor (PW-01). */
const PASSWORD_MIN_LENGTH = 15

export interface ViewsDeps {
  readonly brand: Brand
  /** Its host is what the pages show as the server. */
  readonly issuer: string
  /** Details for the developer of an app are unfolded. */
  readonly isDevelopment?: boolean
  readonly languages?: Languages
}

/** Pages and mails from typed models. Pure: no request, no database, no clock but for "3 hours ago". */
export interface Views {
  readonly languages: Languages
  page<Name extends PageName>(name: Name, model: PageModels[Name], context: PageContext): string
  mail<Name extends MailName>(
    name: Name,
    model: MailModels[Name],
    options: { readonly locale: Locale },
  ): RenderedMail
  /** Every file that pages load, by its path. */
  readonly assets: ReadonlyMap<string, Asset>
}

export function createViews({
  brand,
  issuer,
  isDevelopment = false,
  languages = readLanguages(),
}: ViewsDeps): Views {
  const template = compileTemplates()
  const translators = createTranslators(languages)
  const translatorOf = (locale: Locale): Translator => {
    const translator = translators.get(locale)
    if (!translator) throw new Error(`there is no language ${locale}`)
    return translator
  }
  const host = new URL(issuer).host
  const { files, sheets, logo, icon } = brandFiles(brand)
  const site = {
    isDevelopment,
    host,
    sheets: [assetPath('gatehouse.css'), ...sheets],
    logo,
    icon,
    js: assetPath('gatehouse.js'),
    work: assetPath('work.js'),
    languages: languages.tags.map((code) => {
      const { name, direction } = languages.get(code)
      return { code, name, direction }
    }),
  }

  return {
    languages,
    assets: new Map([...assets(), ...files]),
    mail: createMailRenderer({ brand, host, languages, translatorOf, template }),
    page(name, model, context) {
      const translator = translatorOf(context.locale)
      const { direction, isComplete } = languages.get(context.locale)
      const { problems: refused, passwordMinLength = PASSWORD_MIN_LENGTH } = model as {
        problems?: Problems
        passwordMinLength?: number
      }
      const problems = problemList(refused, translator, passwordMinLength)
      const page = {
        ...site,
        ...context,
        name,
        problems,
        passwordMinLength,
        area: isArea(name),
        isPassing: name === 'pages/form-post' || name === 'pages/leaving',
        isWide: isArea(name) || name === 'pages/api-docs',
        direction,
        title: '',
        goesOnTo: '',
      }
      const scope = {
        m: model,
        page,
        brand,
        ...translator,
        attrs,
        webUrl,
        problemText: (refusal: PageModels['pages/error']) => problemText(refusal, translator),
        qrCode,
        html,
        device: (userAgent: string | undefined) => deviceName(userAgent, translator),
        title: (text: string) => {
          page.title = text
        },
        goOn: (href: string) => {
          page.goesOnTo = href
        },
        problemOf: (field: string) => problems.find((problem) => problem.field === field),
        part: (part: string, p: object = {}): Html => template(`parts/${part}`)({ ...scope, p }),
      }
      const body = template(name)(scope)
      const whole = print(template('layout')({ ...scope, body }))
      return isComplete ? whole : markEnglish(whole)
    },
  }
}

/** The account area is wider and has its own header. */
function isArea(name: PageName): boolean {
  return name.startsWith('account/')
}
