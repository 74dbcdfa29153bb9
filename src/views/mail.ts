import { OWN_ACCENT } from '../config/accent.ts'
import type { Brand } from './brand.ts'
import { directionOf, type Locale } from './locales.ts'
import { type Block, type MailDocument, WRITERS } from './mail-documents.ts'
import type { MailModels, MailName, RenderedMail } from './mail-models.ts'
import type { Template } from './templates.ts'
import type { Translator } from './translator.ts'

export interface MailRendererDeps {
  readonly brand: Brand
  readonly host: string
  readonly translators: Readonly<Record<Locale, Translator>>
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
  translators,
  template,
}: MailRendererDeps): RenderMail {
  const { light, dark } = brand.accent ?? OWN_ACCENT
  return (name, model, { locale }) => {
    const translator = translators[locale]
    const document = WRITERS[name](model, { translator, brand: brand.name })
    const sentBy = translator.t('mail.sentBy', { brand: brand.name, host })
    const page = { ...document, locale, direction: directionOf(locale), sentBy, light, dark }
    return {
      subject: oneLine(document.subject),
      text: asText(document, sentBy),
      html: String(template('mail/layout')({ page, brand, m: document })),
    }
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
