import { type Asset, assetPath, assets } from './assets.ts'
import { type Brand, brandFiles } from './brand.ts'
import { deviceName } from './device.ts'
import { type Html, html, print } from './html.ts'
import { directionOf, LOCALE_NAMES, LOCALES, type Locale } from './locales.ts'
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
export { isLocale, LOCALES, type Locale, negotiateLocale } from './locales.ts'
export * from './mail-models.ts'
export * from './models.ts'
export * from './page-models.ts'
export { plainName } from './plain-name.ts'
export { qrSvg } from './qr.ts'

/** Characters of a password that is the only factor (PW-01). */
const PASSWORD_MIN_LENGTH = 15

export interface ViewsDeps {
  readonly brand: Brand
  /** Its host is what the pages show as the server. */
  readonly issuer: string
  /** What is for the developer of an app stands open. */
  readonly isDevelopment?: boolean
  readonly translators?: Readonly<Record<Locale, Translator>>
}

/** Pages and mails from typed models. Pure: no request, no database, no clock but for "3 hours ago". */
export interface Views {
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
  translators = createTranslators(),
}: ViewsDeps): Views {
  const template = compileTemplates()
  const host = new URL(issuer).host
  const { files, sheets, logo, icon } = brandFiles(brand)
  const site = {
    isDevelopment,
    host,
    sheets: [assetPath('gatehouse.css'), ...sheets],
    logo,
    icon,
    js: assetPath('gatehouse.js'),
    languages: LOCALES.map((code) => ({ code, name: LOCALE_NAMES[code] })),
  }

  return {
    assets: new Map([...assets(), ...files]),
    mail: createMailRenderer({ brand, host, translators, template }),
    page(name, model, context) {
      const translator = translators[context.locale]
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
        direction: directionOf(context.locale),
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
      return print(template('layout')({ ...scope, body }))
    },
  }
}

/** The account area is wider and has its own header. */
function isArea(name: PageName): boolean {
  return name.startsWith('account/')
}
