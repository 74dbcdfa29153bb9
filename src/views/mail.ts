import { OWN_ACCENT } from '../config/accent.ts'
import type { Brand } from './brand.ts'
import { hasEnglish } from './fallback.ts'
import type { Languages, Locale } from './languages.ts'
import { type Block, type MailDocument, WRITERS } from './mail-documents.ts'
import type { MailModels, MailName, RenderedMail } from './mail-models.ts'
import type { Template } from './templates.ts'
import type { Translator } from './translator.ts'

export interface MailRendererDeps {
  readonly brand: Brand
  readonly host: string
  readonly languages: Languages
  readonly translatorOf: (locale: Locale) => Translator
  readonly template: (name: string) => Template
}

type RenderMail = <Name extends MailName>(
  name: Name,
  model: MailModels[Name],
  options: { readonly locale: Locale },
) => RenderedMail

/** One document, rendered twice: for people's eyes and for programs without HTML (UX-27). */
export function createMailRenderer({
  brand,
  host,
  languages,
  translatorOf,
  template,
}: MailRendererDeps): RenderMail {
  const { light, dark } = brand.accent ?? OWN_ACCENT
  const write: RenderMail = (name, model, { locale }) => {
    const translator = translatorOf(locale)
    const document = WRITERS[name](model, { translator, brand: brand.name })
    const sentBy = translator.t('mail.sentBy', { brand: brand.name, host })
    const { direction } = languages.get(locale)
    const page = { ...document, locale, direction, sentBy, light, dark }
    return {
      subject: oneLine(document.subject),
      text: asText(document, sentBy),
      html: String(template('mail/layout')({ page, brand, m: document })),
    }
  }
  // No mail is in two languages: where a word is missing, all of it is English.
  return (name, model, options) => {
    const mail = write(name, model, options)
    if (languages.get(options.locale).isComplete || !hasEnglish(mail.html + mail.text)) return mail
    return write(name, model, { locale: 'en' })
  }
}

function asText({ title, blocks }: MailDocument, sentBy: string): string {
  return `${[title, ...blocks.map(blockText), `-- \n${sentBy}`].join('\n\n')}\n`
}

function blockText(block: Block): string {
  switch (block.kind) {
    case 'text':
      return block.text
    case 'code':
      return `    ${block.code}`
    case 'button':
    case 'link':
      return `${block.label}\n${block.href}`
    case 'facts':
      return block.rows.map(([label, value]) => `${label}: ${value}`).join('\n')
    case 'note':
      return `${block.title}\n${block.text}`
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
